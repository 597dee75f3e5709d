using Cloister.Serving.Json;
using Microsoft.AspNetCore.Http;

namespace Cloister.Serving.Surfaces;

/// <summary>How a surface answers a refusal: its status and its body.</summary>
internal abstract class SurfaceErrors
{
    /// <summary>The surface's name, as in <see cref="RequestRecord.Surface"/>.</summary>
    public abstract string Surface { get; }

    /// <summary>The HTTP status of a refusal; surfaces differ in few of them.</summary>
    public virtual int Status(ServingError error) => error switch
    {
        ServingError.Unauthenticated or ServingError.CredentialRefused => StatusCodes.Status401Unauthorized,
        ServingError.Forbidden or ServingError.NotAdministrator or ServingError.ChangesNotAllowed or ServingError.EnvelopeRefused or ServingError.OtherOwner => StatusCodes.Status403Forbidden,
        ServingError.ModelNotFound or ServingError.VersionNotFound or ServingError.ModelNotGranted => StatusCodes.Status404NotFound,
        ServingError.IncompleteBody => StatusCodes.Status408RequestTimeout,
        ServingError.OtherModelServed => StatusCodes.Status409Conflict,
        ServingError.TooLarge => StatusCodes.Status413PayloadTooLarge,
        ServingError.UnsupportedEncoding => StatusCodes.Status415UnsupportedMediaType,
        ServingError.QuotaExceeded => StatusCodes.Status429TooManyRequests,
        ServingError.Unsupported => StatusCodes.Status501NotImplemented,
        ServingError.Overloaded or ServingError.ModelUnavailable or ServingError.Stopping or ServingError.KeysUnavailable or ServingError.AcceleratorFailed => StatusCodes.Status503ServiceUnavailable,
        ServingError.DeadlineExceeded => StatusCodes.Status504GatewayTimeout,
        ServingError.Cancelled => StatusCodes.Status499ClientClosedRequest,
        ServingError.EngineFailed => StatusCodes.Status500InternalServerError,
        _ => StatusCodes.Status400BadRequest,
    };

    /// <summary>The body of a refusal.</summary>
    public abstract void Write(JsonOutput json, string message);

    /// <summary>The body of a refusal, for surfaces that also say its number.</summary>
    public virtual void Write(JsonOutput json, ServingException refusal) => Write(json, refusal.Message);
}
