namespace Cloister.Serving.Surfaces;

/// <summary>The <c>WWW-Authenticate</c> of a refusal (RFC 6750, section 3): without an error code where no credential was sent.</summary>
internal static class BearerChallenge
{
    public static string? Of(ServingError error) => error switch
    {
        ServingError.Unauthenticated => "Bearer realm=\"cloister\"",
        ServingError.CredentialRefused => "Bearer realm=\"cloister\", error=\"invalid_token\"",
        ServingError.Forbidden or ServingError.NotAdministrator => "Bearer realm=\"cloister\", error=\"insufficient_scope\"",
        _ => null,
    };
}
