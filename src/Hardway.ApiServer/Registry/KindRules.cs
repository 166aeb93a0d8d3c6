using Hardway.Api;
using Hardway.ApiServer.Errors;

namespace Hardway.ApiServer.Registry;

/// <summary>
/// What is special about one kind. One small file a kind under Rules/GROUP/, listed in <see cref="RulesCatalog"/>; a kind without needs none.
/// Stateless and shared by all requests. Objects are of the kind's storage version. The pipeline calls, for a write:
/// <code>
/// decode → Default → (admission changes) → PrepareForCreate | PrepareForUpdate → Validate | ValidateUpdate → (admission looks) → store
/// </code>
/// Metadata (name, labels, finalizers, uid, generation of spec changes) is the pipeline's; rules see only what is theirs.
/// </summary>
internal abstract class KindRules
{
    /// <summary>How names are checked.</summary>
    public virtual NameRule NameRule => NameRule.DnsSubdomain;

    /// <summary>How errors name the resource, where that is not its plural.</summary>
    public virtual string? ErrorName => null;

    /// <summary>metadata.generation counts the changes of spec (of what <see cref="GenerationFields"/> names).</summary>
    public virtual bool HasGeneration => false;

    /// <summary>Top-level fields whose change raises the generation.</summary>
    public virtual IReadOnlyList<string> GenerationFields => ["spec"];

    /// <summary>Status is a subresource: writes of the object keep the old status, writes of /status keep all else.</summary>
    public virtual bool HasStatus => false;

    /// <summary>Which subresources write the status, and nothing else but metadata.</summary>
    public virtual bool WritesStatus(string subresource) => subresource == "status";

    /// <summary>A PUT of a missing object creates it.</summary>
    public virtual bool AllowCreateOnUpdate => false;

    /// <summary>A PUT without resourceVersion overwrites.</summary>
    public virtual bool AllowUnconditionalUpdate => true;

    /// <summary>What a delete without a propagation policy does: Background or Orphan.</summary>
    public virtual string DefaultPropagation => "Background";

    /// <summary>A delete answers with the object's last state rather than with a Status.</summary>
    public virtual bool ReturnsDeletedObject => false;

    /// <summary>How long an object lives in the store; null for ever.</summary>
    public virtual TimeSpan? TimeToLive(KubeObject value) => null;

    /// <summary>Field selectors take metadata.namespace; oddly also for most kinds that are in none.</summary>
    public virtual bool SelectsNamespace => true;

    /// <summary>What field selectors can use besides metadata.name and metadata.namespace.</summary>
    public virtual IReadOnlyList<SelectableField> SelectableFields => [];

    /// <summary>The selectable field by which many watchers each select one value (a Pod's node).</summary>
    public virtual string? IndexField => null;

    /// <summary>The columns of kubectl get, after Name; null for Name and Age.</summary>
    public virtual IReadOnlyList<TableColumn>? Columns => null;

    /// <summary>The cells of a row, Name first: one more than <see cref="Columns"/>, which do not name it.</summary>
    public virtual IReadOnlyList<object?> Cells(KubeObject value, DateTimeOffset now) => [];

    /// <summary>Annotations that stand for fields of older versions: answers of metadata alone (tables, PartialObjectMetadata) leave them out.</summary>
    public virtual IReadOnlyList<string> FieldAnnotations => [];

    /// <summary>Defaults that depend on other fields; those with a marker in the schema are there already.</summary>
    public virtual void Default(KubeObject value)
    {
    }

    /// <summary>Sets what a creator may not: the status, allocated fields. <see cref="HasStatus"/> kinds have an empty status already.</summary>
    public virtual void PrepareForCreate(RuleContext context, KubeObject value)
    {
    }

    /// <summary>Puts back what an update of <see cref="RuleContext.Subresource"/> may not touch. Status or all else has been put back already.</summary>
    public virtual void PrepareForUpdate(RuleContext context, KubeObject value, KubeObject old)
    {
    }

    public virtual void Validate(RuleContext context, KubeObject value, ErrorList errors)
    {
    }

    /// <summary>Of an update of the object or a subresource; does all that is needed, also what <see cref="Validate"/> does.</summary>
    public virtual void ValidateUpdate(RuleContext context, KubeObject value, KubeObject old, ErrorList errors) => Validate(context, value, errors);

    /// <summary>Warnings about what was written (deprecated fields...), for good writes.</summary>
    public virtual void Warn(RuleContext context, KubeObject value, KubeObject? old)
    {
    }

    /// <summary>
    /// The grace period of a delete in seconds; null when the kind goes at once. <paramref name="asked"/> is the request's, null for the
    /// kind's own. Zero deletes at once.
    /// </summary>
    public virtual long? GracePeriod(KubeObject value, long? asked) => null;

    /// <summary>A finalizer that a delete itself puts on, so that somebody cleans up after the object; null for none.</summary>
    public virtual string? DeletionFinalizer => null;

    /// <summary>Called when a grace period has been set on the object (metadata is done).</summary>
    public virtual void BeginDelete(KubeObject value)
    {
    }

    /// <summary>Whether the object itself keeps from going, beside its metadata's finalizers (a namespace's spec.finalizers).</summary>
    public virtual bool Holds(KubeObject value) => false;
}

/// <summary>A kind's rules in its own type. Override the typed ones.</summary>
internal abstract class KindRules<T> : KindRules
    where T : KubeObject, IApiType<T>, new()
{
    public sealed override void Default(KubeObject value) => Default((T)value);

    public sealed override void PrepareForCreate(RuleContext context, KubeObject value) => PrepareForCreate(context, (T)value);

    public sealed override void PrepareForUpdate(RuleContext context, KubeObject value, KubeObject old) => PrepareForUpdate(context, (T)value, (T)old);

    public sealed override void Validate(RuleContext context, KubeObject value, ErrorList errors) => Validate(context, (T)value, errors);

    public sealed override void ValidateUpdate(RuleContext context, KubeObject value, KubeObject old, ErrorList errors) => ValidateUpdate(context, (T)value, (T)old, errors);

    public sealed override void Warn(RuleContext context, KubeObject value, KubeObject? old) => Warn(context, (T)value, (T?)old);

    public sealed override IReadOnlyList<object?> Cells(KubeObject value, DateTimeOffset now) => Cells((T)value, now);

    public sealed override long? GracePeriod(KubeObject value, long? asked) => GracePeriod((T)value, asked);

    public sealed override void BeginDelete(KubeObject value) => BeginDelete((T)value);

    public sealed override bool Holds(KubeObject value) => Holds((T)value);

    protected virtual void Default(T value)
    {
    }

    protected virtual void PrepareForCreate(RuleContext context, T value)
    {
    }

    protected virtual void PrepareForUpdate(RuleContext context, T value, T old)
    {
    }

    protected virtual void Validate(RuleContext context, T value, ErrorList errors)
    {
    }

    protected virtual void ValidateUpdate(RuleContext context, T value, T old, ErrorList errors) => Validate(context, value, errors);

    protected virtual void Warn(RuleContext context, T value, T? old)
    {
    }

    protected virtual IReadOnlyList<object?> Cells(T value, DateTimeOffset now) => [];

    protected virtual long? GracePeriod(T value, long? asked) => null;

    protected virtual void BeginDelete(T value)
    {
    }

    protected virtual bool Holds(T value) => false;
}
