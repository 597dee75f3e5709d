using Cloister.Serving.Repository;

namespace Cloister.Serving.TensorFlow;

/// <summary>How TF Serving says that it does not serve what was asked for; both its surfaces use the same words.</summary>
internal static class TensorFlowNames
{
    /// <summary>The refusal in TF Serving's words, if it is one of a name, a version or a label; else as it is.</summary>
    /// <param name="refusal">The refusal of a lease.</param>
    /// <param name="model">The name that was asked for.</param>
    /// <param name="choice">The version that was asked for.</param>
    public static ServingException Translate(ServingException refusal, string model, VersionChoice choice) => refusal.Error switch
    {
        ServingError.VersionNotFound when choice.Label is { } label => new ServingException(ServingError.UnknownLabel, $"Unrecognized servable version label: {label}", refusal),
        ServingError.ModelNotFound or ServingError.VersionNotFound => new ServingException(refusal.Error, $"Servable not found for request: {Text(model, choice)}", refusal),
        _ => refusal,
    };

    private static string Text(string model, VersionChoice choice) => choice.Number is { } number ? $"Specific({model}, {number})" : $"Latest({model})";
}
