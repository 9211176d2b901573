package mongostore

import (
	"context"
	"errors"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"server-monitor/internal/policy"
)

// Preparation is what [Store.Prepare] could do.
type Preparation struct {
	// Validator tells that the server now checks what is written by its types.
	// Note says why it does not, where it does not.
	Validator bool   `json:"validator"`
	Note      string `json:"note,omitempty"`
}

// Prepare makes the collections, the unique index on name and platform and,
// where the server can, has it check the types of what anybody writes.
func (s *Store) Prepare(ctx context.Context) (Preparation, error) {
	if err := s.makeIndex(ctx); err != nil {
		return Preparation{}, s.redact.wrap("create the unique index on name and platform", err)
	}
	prepared := Preparation{Validator: true}
	for name, schema := range map[string]bson.D{policy.KnownProcesses: documentSchema, policy.ProcessRules: ruleSchema} {
		if err := s.setValidator(ctx, name, schema); err != nil {
			prepared = Preparation{Note: s.redact.clean(err.Error())}
			if !IsUnsupported(err) && !isUnauthorised(err) {
				return prepared, s.redact.wrap("set the validator of "+name, err)
			}
		}
	}
	return prepared, nil
}

// makeIndex makes the unique index on name and platform, where there is none.
func (s *Store) makeIndex(ctx context.Context) error {
	_, err := s.known().Indexes().CreateOne(ctx, mongo.IndexModel{
		Keys:    bson.D{{Key: "name", Value: 1}, {Key: "platform", Value: 1}},
		Options: options.Index().SetUnique(true).SetName("name_1_platform_1"),
	})
	return err
}

// namespaceExists is the code of a collection that is there already.
const namespaceExists = 48

// setValidator gives a collection a schema. Documents that are wrong already can
// still be changed ("moderate"), so that they can be put right.
func (s *Store) setValidator(ctx context.Context, collection string, schema bson.D) error {
	database := s.client.Database(s.database)
	if err := database.CreateCollection(ctx, collection); err != nil {
		var server mongo.ServerError
		if !errors.As(err, &server) || !server.HasErrorCode(namespaceExists) {
			return err
		}
	}
	return database.RunCommand(ctx, bson.D{
		{Key: "collMod", Value: collection},
		{Key: "validator", Value: bson.D{{Key: "$jsonSchema", Value: schema}}},
		{Key: "validationLevel", Value: "moderate"}, {Key: "validationAction", Value: "error"},
	}).Err()
}

// isUnauthorised tells that the user may not do it: reading and writing is all
// that server-monitor needs.
func isUnauthorised(err error) bool {
	var server mongo.ServerError
	return errors.As(err, &server) && server.HasErrorCode(13)
}

// Schemas say the types of fields; what their values may be is for [policy.Validate].
var (
	str      = bson.D{{Key: "bsonType", Value: "string"}}
	boolean  = bson.D{{Key: "bsonType", Value: "bool"}}
	date     = bson.D{{Key: "bsonType", Value: "date"}}
	number   = bson.D{{Key: "bsonType", Value: bson.A{"int", "long", "double"}}}
	list     = bson.D{{Key: "bsonType", Value: "array"}, {Key: "items", Value: str}}
	texts    = bson.D{{Key: "bsonType", Value: "object"}, {Key: "additionalProperties", Value: str}}
	baseName = bson.D{{Key: "bsonType", Value: "string"}, {Key: "minLength", Value: 1}, {Key: "pattern", Value: `^[^A-Z/\\]+$`}}

	documentSchema = object([]string{"name", "platform", "policy"}, bson.D{
		{Key: "name", Value: baseName}, {Key: "platform", Value: enum("linux", "windows", "common")},
		{Key: "category", Value: str}, {Key: "description", Value: str}, {Key: "description_i18n", Value: texts},
		{Key: "policy", Value: object([]string{"is_system", "terminatable"}, bson.D{
			{Key: "is_system", Value: boolean}, {Key: "terminatable", Value: boolean},
			{Key: "reason", Value: str}, {Key: "reason_i18n", Value: texts},
		})},
		{Key: "paths", Value: list}, {Key: "expected_warnings", Value: list}, {Key: "auto_terminate", Value: boolean},
		{Key: "tags", Value: list}, {Key: "created_at", Value: date}, {Key: "updated_at", Value: date},
	})
	ruleSchema = object([]string{"enabled", "match", "effect"}, bson.D{
		{Key: "enabled", Value: boolean}, {Key: "priority", Value: number}, {Key: "effect", Value: enum("protect", "auto_terminate")},
		{Key: "match", Value: append(object([]string{}, bson.D{
			{Key: "name", Value: baseName}, {Key: "exe", Value: str}, {Key: "user", Value: str}, {Key: "unit", Value: str},
			{Key: "warning", Value: str}, {Key: "min_memory_ratio", Value: number},
		}), bson.E{Key: "additionalProperties", Value: false}, bson.E{Key: "minProperties", Value: 1})},
		{Key: "reason", Value: str}, {Key: "reason_i18n", Value: texts},
	})
)

func object(required []string, properties bson.D) bson.D {
	schema := bson.D{{Key: "bsonType", Value: "object"}, {Key: "properties", Value: properties}}
	if len(required) > 0 {
		schema = append(schema, bson.E{Key: "required", Value: required})
	}
	return schema
}

func enum(values ...string) bson.D { return bson.D{{Key: "enum", Value: values}} }
