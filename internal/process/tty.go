package process

import "strconv"

// ttyName names a controlling terminal by its device number as stat gives it:
// minor in bits 31 to 20 and 7 to 0, major in bits 15 to 8. The majors are those
// of the kernel's Documentation/admin-guide/devices.txt.
func ttyName(device int32) string {
	d := uint32(device)
	major, minor := d>>8&0xfff, d&0xff|d>>12&0xfff00
	number := strconv.FormatUint(uint64(minor), 10)
	switch {
	case device == 0:
		return ""
	case major >= 136 && major <= 143:
		return "pts/" + strconv.FormatUint(uint64((major-136)<<8+minor), 10)
	case major == 4 && minor < 64:
		return "tty" + number
	case major == 4:
		return "ttyS" + strconv.FormatUint(uint64(minor-64), 10)
	case major == 5 && minor == 1:
		return "console"
	case major == 188:
		return "ttyUSB" + number
	case major == 204 && minor >= 64 && minor < 80:
		return "ttyAMA" + strconv.FormatUint(uint64(minor-64), 10)
	case major == 229:
		return "hvc" + number
	}
	return strconv.FormatUint(uint64(major), 10) + ":" + number
}
