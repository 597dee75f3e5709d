using Microsoft.AspNetCore.Routing;

namespace Cloister.Serving.Surfaces;

/// <summary>One protocol that the server speaks. A new one is a new class in the host's list.</summary>
internal interface IServingSurface
{
    /// <summary>Adds the protocol's routes.</summary>
    void Map(IEndpointRouteBuilder routes, PredictionService service);
}
