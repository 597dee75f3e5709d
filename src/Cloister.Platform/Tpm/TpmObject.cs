namespace Cloister.Platform.Tpm;

/// <summary>An object or session that is loaded in the TPM, or stays there (a persistent key, which flushing leaves alone).</summary>
internal sealed class TpmObject(TpmChannel channel, uint handle) : IAsyncDisposable
{
    public uint Handle { get; } = handle;

    public ValueTask DisposeAsync() => channel.FlushAsync(this);
}
