namespace Cloister.Sealing;

internal sealed class HpkeX25519Key(X25519Key key) : HpkePrivateKey
{
    public override HpkeKem Kem => HpkeKem.X25519;

    public override ReadOnlyMemory<byte> PublicKey { get; } = key.PublicKey.ToArray();

    public override SecretBytes Export() => key.Export();

    internal override SecretBytes Agree(ReadOnlySpan<byte> peer)
    {
        SecretBytes secret = SecretBytes.Empty(X25519Key.SecretSize);
        try
        {
            key.Agree(peer, secret.Writable);
            return secret;
        }
        catch
        {
            secret.Dispose();
            throw;
        }
    }

    private protected override void Dispose(bool disposing)
    {
        if (disposing)
            key.Dispose();
    }
}
