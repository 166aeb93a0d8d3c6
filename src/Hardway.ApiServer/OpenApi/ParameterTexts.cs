namespace Hardway.ApiServer.OpenApi;

/// <summary>What the documents say of the parameters of paths and queries.</summary>
internal static class ParameterTexts
{
    public static string Of(string name) => name switch
    {
        "allowWatchBookmarks" => "Let the server send events without an object from time to time that say how far the watch has come.",
        "continue" => "Where the list goes on: the metadata.continue of the part before.",
        "dryRun" => "With All, everything is checked and nothing is kept.",
        "fieldManager" => "Who owns the fields that this request sets: at most 128 printable characters; the name before the slash of User-Agent by default.",
        "fieldSelector" => "Only objects whose fields have these values, such as status.phase=Running.",
        "fieldValidation" => "What happens with unknown and doubled fields: Ignore, Warn (the default) or Strict (the request is refused).",
        "force" => "Of an apply: take fields that others own.",
        "gracePeriodSeconds" => "How many seconds the object has to end; 0 deletes it at once. The kind's own default where absent.",
        "ignoreStoreReadErrorWithClusterBreakingPotential" => "Delete an object that can no longer be read from the store, without finalizers and admission. Dangerous.",
        "labelSelector" => "Only objects with these labels, such as app=web,tier!=cache.",
        "limit" => "At most this many objects; metadata.continue says where the list goes on.",
        "name" => "The object's name.",
        "namespace" => "The namespace.",
        "orphanDependents" => "Superseded by propagationPolicy.",
        "pretty" => "With true the answer is indented.",
        "propagationPolicy" => "What happens to what the object owns: Background, Foreground or Orphan.",
        "resourceVersion" => "How new the answer must be: absent for the newest, 0 for anything at hand, else at least this state.",
        "resourceVersionMatch" => "How resourceVersion is meant in a list: Exact or NotOlderThan.",
        "sendInitialEvents" => "Begin a watch with the present objects and a bookmark after them; needs resourceVersionMatch=NotOlderThan.",
        "timeoutSeconds" => "After how many seconds the list or watch ends.",
        "watch" => "Send changes as they happen instead of a list.",
        _ => name + ".",
    };
}
