namespace Cloister.Sealing;

/// <summary>What can be said of a sealed file without its key.</summary>
/// <param name="Header">What the file says of itself.</param>
/// <param name="Maker">The maker's key that lies in the file; whether it is the right maker is for the reader to know.</param>
/// <param name="SignatureValid">Whether that maker signed this header, key commitment and tree root.</param>
/// <param name="Digest">The model digest that a manifest names: 64 lower-case hex digits.</param>
public sealed record SealedInspection(SealedHeader Header, MakerPublicKey Maker, bool SignatureValid, string Digest);
