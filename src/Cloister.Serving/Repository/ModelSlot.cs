namespace Cloister.Serving.Repository;

/// <summary>One model that the activation grants, and what became of it.</summary>
internal sealed class ModelSlot(string name)
{
    private volatile Standing _standing = new(ModelState.Loading, null, null);

    public string Name { get; } = name;

    public ModelState State => _standing.State;

    /// <summary>Why it is unavailable; null unless it is.</summary>
    public ServingException? Reason => _standing.Reason;

    /// <summary>The model if it is ready, else null.</summary>
    public ServedModel? Model => _standing.Model;

    /// <summary>The model.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.ModelUnavailable"/>, with the reason.</exception>
    public ServedModel Require() => _standing switch
    {
        { Model: { } model } => model,
        { Reason: { } reason } => throw new ServingException(ServingError.ModelUnavailable, $"Model '{Name}' is unavailable: {reason.Message}", reason),
        _ => throw new ServingException(ServingError.ModelUnavailable, $"Model '{Name}' is still being opened; try again soon.") { RetryAfter = TimeSpan.FromSeconds(1) },
    };

    public void Serve(ServedModel model) => _standing = new(ModelState.Ready, model, null);

    public void Refuse(ServingException reason) => _standing = new(ModelState.Unavailable, null, reason);

    private sealed record Standing(ModelState State, ServedModel? Model, ServingException? Reason);
}
