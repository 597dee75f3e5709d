namespace Cloister.Serving.Callers;

/// <summary>How callers are refused: never with what they sent.</summary>
internal static class CallerRefusals
{
    /// <summary>A token that is not taken; <paramref name="why"/> ends a sentence that begins with "the bearer token".</summary>
    public static ServingException Token(string why) => Credential($"the bearer token {why}");

    public static ServingException Credential(string reason) => new(ServingError.CredentialRefused, $"The caller was not recognised: {reason}.");
}
