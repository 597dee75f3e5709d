// P-256 key agreement as DHKEM wants it.
//
// References: RFC 9180 7.1.1 (serialization), 7.1.4 (validation: the point is on the curve and not at infinity); SEC 1, 2.3.3 (uncompressed point).
// Sizes:      private key 32, public key 65, shared secret 32 bytes (the x-coordinate).
using System.Security.Cryptography;

namespace Cloister.Sealing;

internal sealed class HpkeP256Key : HpkePrivateKey
{
    private const int Coordinate = 32, PointSize = 1 + (2 * Coordinate);
    private const byte Uncompressed = 4;

    private readonly ECDiffieHellman key;

    private HpkeP256Key(ECDiffieHellman key)
    {
        this.key = key;
        ECPoint q = key.ExportParameters(includePrivateParameters: false).Q;
        PublicKey = (byte[])[Uncompressed, .. q.X!, .. q.Y!];
    }

    public override HpkeKem Kem => HpkeKem.P256;

    public override ReadOnlyMemory<byte> PublicKey { get; }

    // The order of the group (FIPS 186-5 / SP 800-186, 3.2.1.3).
    private static ReadOnlySpan<byte> Order =>
    [
        0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
        0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51,
    ];

    public static HpkeP256Key Generate() => new(ECDiffieHellman.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>Whether 0 &lt; key &lt; order. The comparison may end early: it only ever tells about values that are not keys.</summary>
    public static bool IsInRange(ReadOnlySpan<byte> privateKey) =>
        privateKey.Length == Coordinate && privateKey.ContainsAnyExcept((byte)0) && privateKey.SequenceCompareTo(Order) < 0;

    public static HpkeP256Key Import(ReadOnlySpan<byte> privateKey)
    {
        if (!IsInRange(privateKey))
            throw new SealingException(SealingError.InvalidPrivateKey, $"A P-256 private key is {Coordinate} bytes, greater than 0 and less than the group's order.");
        byte[] d = GC.AllocateArray<byte>(Coordinate, pinned: true);
        try
        {
            privateKey.CopyTo(d);
            return new HpkeP256Key(ECDiffieHellman.Create(new ECParameters { Curve = ECCurve.NamedCurves.nistP256, D = d }));
        }
        finally
        {
            CryptographicOperations.ZeroMemory(d);
        }
    }

    public override SecretBytes Export()
    {
        byte[]? d = key.ExportParameters(includePrivateParameters: true).D;
        try
        {
            return SecretBytes.Copy(d);
        }
        finally
        {
            CryptographicOperations.ZeroMemory(d);
        }
    }

    internal override SecretBytes Agree(ReadOnlySpan<byte> peer)
    {
        using ECDiffieHellman peerKey = ImportPublic(peer);
        using ECDiffieHellmanPublicKey peerPublic = peerKey.PublicKey;
        byte[] secret = key.DeriveRawSecretAgreement(peerPublic);
        try
        {
            // Every valid peer has prime order, so the result is never the point at infinity; the length is what KDF input depends on.
            return secret.Length == Coordinate ? SecretBytes.Copy(secret)
                : throw new SealingException(SealingError.PlatformFailure, $"The platform's P-256 agreement gave {secret.Length} bytes instead of {Coordinate}.");
        }
        finally
        {
            CryptographicOperations.ZeroMemory(secret);
        }
    }

    private protected override void Dispose(bool disposing)
    {
        if (disposing)
            key.Dispose();
    }

    private static ECDiffieHellman ImportPublic(ReadOnlySpan<byte> point)
    {
        if (point.Length != PointSize || point[0] != Uncompressed)
            throw new SealingException(SealingError.InvalidPublicKey, $"A P-256 public key is an uncompressed point of {PointSize} bytes.");
        try
        {
            return ECDiffieHellman.Create(new ECParameters
            {
                Curve = ECCurve.NamedCurves.nistP256,
                Q = new ECPoint { X = point.Slice(1, Coordinate).ToArray(), Y = point[(1 + Coordinate)..].ToArray() },
            });
        }
        catch (CryptographicException problem)
        {
            throw new SealingException(SealingError.InvalidPublicKey, "The public key is not a point on P-256. Ask the peer for a genuine key.", problem);
        }
    }
}
