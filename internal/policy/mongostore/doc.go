// Package mongostore keeps policy in MongoDB: the collections known_processes
// and process_rules, in the shape that people write with mongosh or Compass.
//
// What is read is decoded by its BSON types, strictly: the driver would take 1
// or null for a bool, and whether a process may be ended must not hang on that.
// Fields that are not known are left alone, in reading and in writing.
//
// Every operation has a time limit. No error, log line or status holds what the
// connection string keeps secret.
package mongostore
