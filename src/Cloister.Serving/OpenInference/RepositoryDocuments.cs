using Cloister.Serving.Json;
using Cloister.Serving.Repository;

namespace Cloister.Serving.OpenInference;

/// <summary>The documents of Triton's model repository extension.</summary>
internal static class RepositoryDocuments
{
    /// <summary>The largest body of a request of the extension, in bytes.</summary>
    public const int MaximumBytes = 64 << 10;

    /// <summary><c>$repository_index_request</c>: whether only versions that answer are asked for.</summary>
    /// <exception cref="ServingException">The body is not such a request.</exception>
    public static bool ReadIndex(ReadOnlySpan<byte> body)
    {
        bool ready = false;
        if (body.IsEmpty) return ready;
        var cursor = new JsonCursor(body);
        var seen = new MemberSet();
        cursor.OpenObject("the request");
        while (cursor.NextMember(out ReadOnlySpan<byte> name))
        {
            if (!seen.Adds(ref cursor, name, 0, "ready"u8)) throw InferRequestReader.Unknown(ref cursor, name, "the request", "ready");
            ready = cursor.ReadBoolean("'ready'");
        }
        cursor.End();
        return ready;
    }

    /// <summary><c>$repository_index_response</c>: every version of every model, and where it stands.</summary>
    public static void WriteIndex(JsonOutput json, IEnumerable<ModelSlot> models, bool readyOnly)
    {
        json.Raw("["u8);
        bool first = true;
        foreach (ModelSlot model in models)
        {
            foreach (VersionStatus version in model.Versions)
            {
                if (readyOnly && version.State != ModelVersionState.Available) continue;
                json.Raw(first ? "{\"name\":"u8 : ",{\"name\":"u8).Text(model.Name);
                first = false;
                if (version.Version > 0) json.Raw(",\"version\":\""u8).Number(version.Version).Raw("\""u8);
                json.Raw(",\"state\":"u8).Text(StateOf(version.State)).Raw(",\"reason\":"u8).Text(ReasonOf(version)).Raw("}"u8);
            }
        }
        json.Raw("]"u8);
    }

    /// <summary><c>$repository_load_request</c>: it may say nothing that changes the model, for a model is what its maker sealed.</summary>
    /// <exception cref="ServingException">The body is not such a request, or brings a model or a configuration of its own.</exception>
    public static void ReadLoad(ReadOnlySpan<byte> body) => ReadParameters(body, static (name, _) => OfLoad(name));

    /// <summary>A parameter of a request to load, of REST or gRPC: there is none that is taken.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.ParameterRefused"/>.</exception>
    public static void OfLoad(string name) => throw new ServingException(ServingError.ParameterRefused,
        name == "config" || name.StartsWith("file:", StringComparison.Ordinal)
            ? $"Parameter '{Shorten(name)}' is refused: a model and its configuration are what its maker sealed and signed; have a new version sealed instead."
            : $"Parameter '{Shorten(name)}' is refused: loading takes no parameters here.");

    /// <summary><c>$repository_unload_request</c>: no model here depends on another one, so that <c>unload_dependents</c> changes nothing.</summary>
    /// <exception cref="ServingException">The body is not such a request.</exception>
    public static void ReadUnload(ReadOnlySpan<byte> body) => ReadParameters(body, OfUnload);

    /// <summary>A parameter of a request to unload, of REST or gRPC.</summary>
    /// <exception cref="ServingException">It is not one, or not what it must be.</exception>
    public static void OfUnload(string name, ParameterValue value)
    {
        if (name != "unload_dependents") throw new ServingException(ServingError.ParameterRefused, $"Parameter '{Shorten(name)}' is refused: unloading knows only 'unload_dependents'.");
        value.Boolean(name);
    }

    /// <summary>The state's name in the index, REST and gRPC.</summary>
    public static string StateOf(ModelVersionState state) => state switch
    {
        ModelVersionState.Available => "READY",
        ModelVersionState.Unloading => "UNLOADING",
        ModelVersionState.End => "UNAVAILABLE",
        _ => "LOADING",
    };

    /// <summary>Why a version stands where it does; empty where its state says all.</summary>
    public static string ReasonOf(VersionStatus version) => version.Reason?.Message ?? (version.State == ModelVersionState.End ? "unloaded" : "");

    private static void ReadParameters(ReadOnlySpan<byte> body, Action<string, ParameterValue> parameter)
    {
        if (body.IsEmpty) return;
        var cursor = new JsonCursor(body);
        var seen = new MemberSet();
        cursor.OpenObject("the request");
        while (cursor.NextMember(out ReadOnlySpan<byte> name))
        {
            if (!seen.Adds(ref cursor, name, 0, "parameters"u8)) throw InferRequestReader.Unknown(ref cursor, name, "the request", "parameters");
            if (InferRequestReader.IsNull(ref cursor)) continue;
            cursor.OpenObject("'parameters'");
            while (cursor.NextMember(out ReadOnlySpan<byte> member))
            {
                string called = ParameterReader.Name(ref cursor, member);
                parameter(called, ParameterReader.Value(ref cursor, called));
            }
        }
        cursor.End();
    }

    private static string Shorten(string name) => name.Length <= 64 ? name : name[..64] + "...";
}
