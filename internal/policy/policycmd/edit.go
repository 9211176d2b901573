package policycmd

import (
	"context"
	"fmt"
	"maps"
	"strings"

	"server-monitor/internal/policy"
	"server-monitor/internal/policy/mongostore"
	"server-monitor/internal/process"
)

// Edit is what is to change in a document. Nil fields stay as they are.
type Edit struct {
	Category, Description, DescriptionKo, Reason, ReasonKo *string
	System, Terminatable, AutoTerminate                    *bool
	Paths, ExpectedWarnings, Tags                          *[]string
}

// Set changes the document of a name, or makes one: of what the catalogue has
// under that name, or else of nothing.
func (p *Printer) Set(ctx context.Context, store *mongostore.Store, target string, e Edit) error {
	if store == nil {
		return ErrNoStore
	}
	platform, name, err := ParseTarget(target)
	if err != nil {
		return err
	}
	d, err := base(ctx, store, platform, name)
	if err != nil {
		return err
	}
	e.apply(d)
	created, err := store.Put(ctx, d)
	if err != nil {
		return err
	}
	if p.JSON {
		return p.json(struct {
			Created  bool             `json:"created"`
			Document *policy.Document `json:"document"`
		}{created, d})
	}
	verb := "changed"
	if created {
		verb = "made"
	}
	if err := p.line("%s %s/%s", verb, platform, process.Printable(name)); err != nil {
		return err
	}
	if !d.Denies() {
		return p.warnDenied(platform, name)
	}
	return nil
}

// warnDenied says where a document permits what the catalogue forbids: it does
// so in vain.
func (p *Printer) warnDenied(platform policy.Platform, name string) error {
	for _, d := range policy.Catalogue() {
		if d.Name == name && (d.Platform == platform || d.Platform == policy.Common || platform == policy.Common) && d.Denies() {
			return p.line("note: the embedded catalogue protects %s/%s, and no document lifts what another forbids", d.Platform, d.Name)
		}
	}
	return nil
}

// base is the document that an edit starts from.
func base(ctx context.Context, store *mongostore.Store, platform policy.Platform, name string) (*policy.Document, error) {
	entry, err := store.Get(ctx, platform, name)
	if err != nil {
		return nil, err
	}
	if entry != nil && entry.Invalid == nil {
		return copyOf(&entry.Document), nil
	}
	for _, d := range policy.Catalogue() {
		if d.Name == name && d.Platform == platform {
			return copyOf(&d), nil
		}
	}
	return copyOf(&policy.Document{Name: name, Platform: platform, Category: "utility"}), nil
}

// copyOf is a document that may be changed.
func copyOf(d *policy.Document) *policy.Document {
	return &policy.Document{
		Name: d.Name, Platform: d.Platform, Category: d.Category, Description: d.Description, DescriptionI18n: cloneTexts(d.DescriptionI18n),
		Policy: policy.Policy{
			IsSystem: d.Policy.IsSystem, Terminatable: d.Policy.Terminatable, Reason: d.Policy.Reason, ReasonI18n: cloneTexts(d.Policy.ReasonI18n),
		},
		Paths: d.Paths, ExpectedWarnings: d.ExpectedWarnings, AutoTerminate: d.AutoTerminate, Tags: d.Tags,
		CreatedAt: d.CreatedAt, UpdatedAt: d.UpdatedAt,
	}
}

func cloneTexts(texts map[string]string) map[string]string {
	clone := make(map[string]string, len(texts))
	maps.Copy(clone, texts)
	return clone
}

// apply changes a document.
func (e *Edit) apply(d *policy.Document) {
	assign(&d.Category, e.Category)
	assign(&d.Policy.IsSystem, e.System)
	assign(&d.Policy.Terminatable, e.Terminatable)
	assign(&d.AutoTerminate, e.AutoTerminate)
	assign(&d.Paths, e.Paths)
	assign(&d.ExpectedWarnings, e.ExpectedWarnings)
	assign(&d.Tags, e.Tags)
	translate(&d.Description, d.DescriptionI18n, e.Description, e.DescriptionKo)
	translate(&d.Policy.Reason, d.Policy.ReasonI18n, e.Reason, e.ReasonKo)
	if e.System != nil && *e.System && e.Terminatable == nil {
		d.Policy.Terminatable = false
	}
	if e.Terminatable != nil && *e.Terminatable && e.System == nil {
		d.Policy.IsSystem = false
	}
	if d.Denies() && e.AutoTerminate == nil {
		d.AutoTerminate = false
	}
}

func assign[T any](field *T, value *T) {
	if value != nil {
		*field = *value
	}
}

// translate changes a text. A new English text makes the old Korean one wrong.
func translate(field *string, texts map[string]string, english, korean *string) {
	if english != nil && *english != *field {
		*field = *english
		delete(texts, "ko")
		if _, ok := texts["en"]; ok {
			texts["en"] = *english
		}
	}
	if korean != nil {
		texts["ko"] = *korean
	}
}

// Delete removes the documents of "linux/nginx", or a document or rule whose name
// cannot be read by its _id: "known_processes:ID", "process_rules:ID".
func (p *Printer) Delete(ctx context.Context, store *mongostore.Store, target string) error {
	if store == nil {
		return ErrNoStore
	}
	n, err := remove(ctx, store, target)
	if err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("%s: %w", process.Printable(target), ErrNotFound)
	}
	if p.JSON {
		return p.json(struct {
			Deleted int64 `json:"deleted"`
		}{n})
	}
	return p.line("deleted %d of %s", n, process.Printable(target))
}

func remove(ctx context.Context, store *mongostore.Store, target string) (int64, error) {
	for _, collection := range [...]string{policy.KnownProcesses, policy.ProcessRules} {
		if id, ok := strings.CutPrefix(target, collection+":"); ok {
			return store.DeleteID(ctx, collection, id)
		}
	}
	platform, name, err := ParseTarget(target)
	if err != nil {
		return 0, err
	}
	return store.Delete(ctx, platform, name)
}
