/*
 * What the wine of Debian 12 (8.0) lacks and a Go program for Windows needs.
 *
 * ProcessPrng is where Go's runtime takes its random numbers from, so that
 * this library is loaded by every Go program before anything else of it runs.
 * That is used to mend two system calls in passing, which real Windows has:
 *
 * - NtSetInformationFile says "not implemented" to classes that it does not
 *   know, where Windows says "invalid class". Only for the latter does Go
 *   delete a file the older way (internal/syscall/windows, Deleteat).
 * - NtQuerySystemInformationEx does not know SystemProcessorPerformanceInformation,
 *   which is answered for the one processor group there is.
 */
#include <windows.h>
#include <string.h>

#define NOT_IMPLEMENTED ((LONG)0xC0000002)
#define INVALID_INFO_CLASS ((LONG)0xC0000003)
#define PROCESSOR_PERFORMANCE 8
#define STUB 32 /* the length of a system call of ntdll, which may be copied */

BOOLEAN WINAPI SystemFunction036(PVOID buffer, ULONG length); /* RtlGenRandom */
LONG WINAPI NtQuerySystemInformation(ULONG class, PVOID buffer, ULONG length, ULONG *returned);

typedef LONG WINAPI set_file(HANDLE, PVOID, PVOID, ULONG, ULONG);
typedef LONG WINAPI query_ex(ULONG, PVOID, ULONG, PVOID, ULONG, ULONG *);

static set_file *real_set_file;
static query_ex *real_query_ex;

__declspec(dllexport) BOOL WINAPI ProcessPrng(PBYTE data, SIZE_T length)
{
	return SystemFunction036(data, (ULONG)length);
}

static LONG WINAPI our_set_file(HANDLE file, PVOID io, PVOID data, ULONG length, ULONG class)
{
	LONG status = real_set_file(file, io, data, length, class);
	return status == NOT_IMPLEMENTED ? INVALID_INFO_CLASS : status;
}

static LONG WINAPI our_query_ex(ULONG class, PVOID query, ULONG query_length, PVOID buffer, ULONG length, ULONG *returned)
{
	LONG status = real_query_ex(class, query, query_length, buffer, length, returned);
	if (status == NOT_IMPLEMENTED && class == PROCESSOR_PERFORMANCE)
		return NtQuerySystemInformation(class, buffer, length, returned);
	return status;
}

/* Puts ours in the place of a system call, and returns a copy of that. */
static void *replace(const char *name, void *ours)
{
	BYTE *call = (BYTE *)GetProcAddress(GetModuleHandleA("ntdll.dll"), name);
	BYTE *copy = VirtualAlloc(NULL, STUB, MEM_COMMIT | MEM_RESERVE, PAGE_EXECUTE_READWRITE);
	BYTE jump[12] = {0x48, 0xB8, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xE0}; /* mov rax, ours; jmp rax */
	DWORD old;

	memcpy(copy, call, STUB);
	memcpy(jump + 2, &ours, sizeof ours);
	VirtualProtect(call, STUB, PAGE_EXECUTE_READWRITE, &old);
	memcpy(call, jump, sizeof jump);
	VirtualProtect(call, STUB, old, &old);
	return copy;
}

BOOL WINAPI DllMain(HINSTANCE instance, DWORD reason, LPVOID reserved)
{
	if (reason == DLL_PROCESS_ATTACH) {
		real_set_file = replace("NtSetInformationFile", our_set_file);
		real_query_ex = replace("NtQuerySystemInformationEx", our_query_ex);
	}
	return TRUE;
}
