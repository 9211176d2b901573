package mongostore

import (
	"context"
	"time"

	"go.mongodb.org/mongo-driver/v2/bson"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"server-monitor/internal/policy"
)

// watchWait is how long the server holds a question for news before it answers
// that there are none.
const watchWait = 10 * time.Second

// Watch follows the change stream of both collections until ctx ends or the
// stream breaks, and then says why; [IsUnsupported] tells a server that has
// none. It calls ready once the stream stands, and changed for every change: with
// the _id of a document of known_processes, or with none for any other change.
func (s *Store) Watch(ctx context.Context, ready func(), changed func(ID)) error {
	return s.redact.wrap("watch for changes", s.watch(ctx, ready, changed))
}

func (s *Store) watch(ctx context.Context, ready func(), changed func(ID)) error {
	ours := bson.D{{Key: "$in", Value: bson.A{policy.KnownProcesses, policy.ProcessRules}}}
	pipeline := mongo.Pipeline{
		{{Key: "$match", Value: bson.D{{Key: "ns.coll", Value: ours}}}},
		{{Key: "$project", Value: bson.D{{Key: "ns", Value: 1}, {Key: "documentKey", Value: 1}}}},
	}
	stream, err := s.client.Database(s.database).Watch(ctx, pipeline, options.ChangeStream().SetMaxAwaitTime(watchWait))
	if err != nil {
		return err
	}
	defer stream.Close(context.WithoutCancel(ctx)) // has the client's time limit
	ready()
	for stream.ID() != 0 {
		if s.tryNext(ctx, stream) {
			changed(changedID(stream.Current))
		} else if err := stream.Err(); err != nil {
			return err
		}
	}
	return mongo.ErrClientDisconnected
}

// tryNext waits for one event or for one answer that there is none.
func (s *Store) tryNext(ctx context.Context, stream *mongo.ChangeStream) bool {
	ctx, cancel := context.WithTimeout(ctx, watchWait+s.timeout)
	defer cancel()
	return stream.TryNext(ctx)
}

// changedID reads which document of known_processes an event is about.
func changedID(event bson.Raw) ID {
	if name, _ := event.Lookup("ns", "coll").StringValueOK(); name != policy.KnownProcesses {
		return ""
	}
	document, ok := event.Lookup("documentKey").DocumentOK()
	if !ok {
		return "" // the collection was dropped or renamed
	}
	return idOf(document)
}
