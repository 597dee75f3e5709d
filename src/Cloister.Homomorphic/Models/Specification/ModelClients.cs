namespace Cloister.Homomorphic.Models;

/// <summary>Makes clients of specifications.</summary>
public static class ModelClients
{
    /// <summary>A client of a model. Parameters are checked here: a specification cannot make a client encrypt insecurely.</summary>
    /// <param name="specification">As <see cref="ClientSpecificationJson.Read(ReadOnlySpan{byte})"/> gave it, or a compiled model's own.</param>
    /// <exception cref="HomomorphicException">The parameters are refused, or the layout does not fit them.</exception>
    public static ModelClient Create(ClientSpecification specification) => specification.Design switch
    {
        ModelDesign.Linear => new LinearClient(specification),
        ModelDesign.Forest => new ForestClient(specification),
        _ => throw new HomomorphicException(HomomorphicError.Specification, $"This program cannot ask {specification.Design} models."),
    };
}
