//go:build !unix

package token

import "os"

// checkOwner has nothing to add: who may write the file is in its access control
// list, which checkAccess looks at.
func checkOwner(*os.File) error { return nil }
