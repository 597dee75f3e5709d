using Microsoft.AspNetCore.Http;

namespace Cloister.Serving.Surfaces;

/// <summary>Told of every request once it has ended: metrics, access log. It must be quick and must not throw.</summary>
internal interface IServingObserver
{
    /// <summary>A request began: nothing but its surface is known yet.</summary>
    /// <param name="request">Filled as the request goes on.</param>
    /// <param name="http">The request itself, for its headers.</param>
    void Began(RequestRecord request, HttpContext http)
    {
        // Most wait for the end.
    }

    /// <summary>A request ended, answered or refused.</summary>
    /// <param name="request">What is known of it; not to be kept.</param>
    /// <param name="total">From the first look at the request to the end of the answer.</param>
    void Ended(RequestRecord request, TimeSpan total);
}
