namespace Cloister.Serving.Engines;

/// <summary>A tensor that several parts look into; it is disposed when the last of them is.</summary>
/// <param name="tensor">The whole; this takes it over.</param>
/// <param name="shares">How many times <see cref="Release"/> will be called.</param>
internal sealed class SharedTensor(Tensor tensor, int shares)
{
    private int _shares = shares;

    public Tensor Tensor { get; } = tensor;

    public void Release()
    {
        if (Interlocked.Decrement(ref _shares) == 0) Tensor.Dispose();
    }
}
