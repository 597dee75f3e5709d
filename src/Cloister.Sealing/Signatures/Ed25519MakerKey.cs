namespace Cloister.Sealing;

internal sealed class Ed25519MakerKey(Ed25519Key key) : MakerKey
{
    public override MakerPublicKey Public { get; } = MakerPublicKey.FromSpki(key.ExportSpki());

    public override byte[] Sign(ReadOnlySpan<byte> message) => key.Sign(message);

    private protected override SecretBytes ExportPkcs8() => key.ExportPkcs8();

    private protected override void Dispose(bool disposing)
    {
        if (disposing)
            key.Dispose();
    }
}
