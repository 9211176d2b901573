package mongostore

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"
	"go.mongodb.org/mongo-driver/v2/mongo/readconcern"
	"go.mongodb.org/mongo-driver/v2/mongo/readpref"

	"server-monitor/internal/policy"
)

// DefaultDatabase is where the collections are unless another name is given.
const DefaultDatabase = "server_monitor"

// DefaultTimeout bounds one operation.
const DefaultTimeout = 10 * time.Second

// Config says where policy is kept.
type Config struct {
	// URI is the connection string, secrets included. TLS, authentication and
	// replica sets are options of it.
	URI string
	// Database is [DefaultDatabase] where empty.
	Database string
	// Timeout bounds one operation, [DefaultTimeout] where 0. The option
	// timeoutMS of the URI goes before it.
	Timeout time.Duration
}

// Store reads and writes policy. It is safe for concurrent use.
type Store struct {
	client   *mongo.Client
	options  *options.ClientOptions
	database string
	redact   *redactor
	address  string
	timeout  time.Duration
}

// ReadURI reads a connection string from a file, which holds nothing else.
func ReadURI(file string) (string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the connection string: %w", err)
	}
	uri := strings.TrimSpace(string(text))
	if uri == "" || strings.ContainsAny(uri, "\n\r") {
		return "", fmt.Errorf("read the connection string: %s: want one line", file)
	}
	return uri, nil
}

var errBadEscape = errors.New("connection string: user name or password hold a % that begins no escape: write %25")

// Check tells what is wrong with a configuration. It asks no server.
func Check(c Config) error {
	_, err := prepare(c)
	return err
}

// Open checks a configuration and makes a store. It does not wait for the
// server: that may be away, and come back later.
func Open(c Config) (*Store, error) {
	s, err := prepare(c)
	if err != nil {
		return nil, err
	}
	client, err := mongo.Connect(s.options)
	if err != nil {
		return nil, s.redact.wrap("connection string", err)
	}
	s.client = client
	return s, nil
}

// prepare makes a store that has no client yet.
func prepare(c Config) (*Store, error) {
	s := &Store{
		redact: newRedactor(c.URI), address: Redact(c.URI),
		database: cmp.Or(c.Database, DefaultDatabase), timeout: cmp.Or(c.Timeout, DefaultTimeout),
	}
	if err := checkDatabase(s.database); err != nil {
		return nil, err
	}
	if s.redact.broken {
		return nil, errBadEscape
	}
	s.options = options.Client().ApplyURI(c.URI).SetAppName("server-monitor")
	if t := s.options.Timeout; t != nil && *t > 0 { // timeoutMS of the connection string
		s.timeout = *t
	}
	if s.options.MaxPoolSize == nil {
		s.options.SetMaxPoolSize(8)
	}
	if s.options.ConnectTimeout == nil {
		s.options.SetConnectTimeout(s.timeout)
	}
	if s.options.ServerSelectionTimeout == nil {
		s.options.SetServerSelectionTimeout(s.timeout)
	}
	s.options.SetTimeout(s.timeout)
	if err := s.options.Validate(); err != nil {
		return nil, s.redact.wrap("connection string", err)
	}
	return s, nil
}

// checkDatabase tells a name that MongoDB takes on every platform.
func checkDatabase(name string) error {
	if name == "" || len(name) > 63 || strings.ContainsAny(name, "/\\. \"$*<>:|?\x00") {
		return fmt.Errorf("%q is no name of a database", name)
	}
	return nil
}

// Close ends all connections.
func (s *Store) Close(ctx context.Context) error {
	return s.redact.wrap("disconnect", s.client.Disconnect(ctx))
}

// Address is where the store is, without secrets.
func (s *Store) Address() string { return s.address }

// Database is the name of the database.
func (s *Store) Database() string { return s.database }

// Fingerprint names server and database, so that a copy of another one is not
// taken for one of this. It says nothing of the secrets.
func (s *Store) Fingerprint() string {
	hosts := slices.Sorted(slices.Values(s.options.Hosts))
	sum := sha256.Sum256([]byte(strings.Join(hosts, ",") + "/" + s.database))
	return hex.EncodeToString(sum[:8])
}

// Ping asks whether the server answers.
func (s *Store) Ping(ctx context.Context) error {
	return s.redact.wrap("ping", s.client.Ping(ctx, nil))
}

// collection is one collection as the connection string says it is to be read.
func (s *Store) collection(name string) *mongo.Collection {
	return s.client.Database(s.database).Collection(name)
}

// current is a collection as the primary has it, without what may be rolled
// back.
func (s *Store) current(name string) *mongo.Collection {
	o := options.Collection().SetReadPreference(readpref.Primary()).SetReadConcern(readconcern.Majority())
	return s.client.Database(s.database).Collection(name, o)
}

func (s *Store) known() *mongo.Collection { return s.collection(policy.KnownProcesses) }

// unsupported are the codes by which servers say that they do not know a
// command, a stage or an option, or that one needs a replica set.
var unsupported = []int{
	9,     // FailedToParse: FerretDB, of a stream of a whole database
	59,    // CommandNotFound
	72,    // InvalidOptions
	115,   // CommandNotSupported
	238,   // NotImplemented
	303,   // FeatureNotSupported
	40324, // unknown stage of a pipeline
	40573, // change streams need a replica set
}

// IsUnsupported tells whether the server lacks what was asked of it, so that
// asking again is of no use.
func IsUnsupported(err error) bool {
	var server mongo.ServerError
	if !errors.As(err, &server) {
		return false
	}
	return slices.ContainsFunc(unsupported, server.HasErrorCode)
}
