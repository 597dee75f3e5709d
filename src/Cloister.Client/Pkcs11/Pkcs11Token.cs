using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using static Cloister.Client.Pkcs11.Cryptoki;

namespace Cloister.Client.Pkcs11;

/// <summary>
/// A token of a PKCS#11 module (PKCS #11 v2.40: smart card, HSM, SoftHSM) with one session, in which the user is logged in. Keys
/// never leave it: what it gives are objects that sign and decrypt through it, as long as it is not disposed. Threads take turns.
/// </summary>
public sealed class Pkcs11Token : IDisposable
{
    private readonly Pkcs11Module _module;
    private readonly ulong _slot, _session;
    private readonly Lock _turn = new();
    private bool _closed;

    private Pkcs11Token(Pkcs11Module module, ulong slot, ulong session) => (_module, _slot, _session) = (module, slot, session);

    /// <summary>Loads the module, finds the token and logs in.</summary>
    /// <param name="configuration">Which token; the PIN is used at once and not kept.</param>
    /// <exception cref="Pkcs11Exception">The module, the token or the PIN does not serve.</exception>
    public static Pkcs11Token Open(Pkcs11Configuration configuration)
    {
        ArgumentNullException.ThrowIfNull(configuration);
        Pkcs11Module module = Pkcs11Module.Load(configuration.Path);
        TokenInfo token = Choose(module, configuration);
        ulong session = module.OpenSession(token.Slot);
        try
        {
            if (!configuration.LoginNotSupported)
                Login(module, session, token, configuration.Pin);
            return new Pkcs11Token(module, token.Slot, session);
        }
        catch (Pkcs11Exception)
        {
            module.CloseSession(session);
            throw;
        }
    }

    private static TokenInfo Choose(Pkcs11Module module, Pkcs11Configuration wanted)
    {
        TokenInfo[] all = [.. module.Slots().Select(module.Token)];
        TokenInfo[] fitting = [.. all.Where(token => wanted.SlotNumber is { } slot ? token.Slot == slot : wanted.TokenLabel is { } label ? token.Label == label : token.Serial == wanted.TokenSerial)];
        string name = wanted.SlotNumber is { } number ? $"slot {number}" : wanted.TokenLabel is { } text ? $"label '{text}'" : $"serial number '{wanted.TokenSerial}'";
        return fitting.Length == 1 ? fitting[0] : throw new Pkcs11Exception(Pkcs11Error.TokenNotFound,
            $"{(fitting.Length == 0 ? "No token has" : "Several tokens have")} {name}. There are: {(all.Length == 0 ? "none" : string.Join(", ", all.Select(token => $"'{token.Label}' (serial {token.Serial}, slot {token.Slot})")))}.");
    }

    private static void Login(Pkcs11Module module, ulong session, TokenInfo token, Sealing.SecretBytes? pin)
    {
        if ((token.Flags & CKF_LOGIN_REQUIRED) == 0)
            return;
        if (pin is null && (token.Flags & CKF_PROTECTED_AUTHENTICATION_PATH) == 0)
            throw new Pkcs11Exception(Pkcs11Error.LoginRefused, $"The token '{token.Label}' wants a PIN: give it as Pin in the PKCS#11 configuration.");
        ulong result = module.Login(session, pin is null ? default : pin.Span);
        if (result is not (CKR_OK or CKR_USER_ALREADY_LOGGED_IN))
        {
            string hint = result == CKR_PIN_LOCKED ? "the PIN is locked; unlock it with the vendor's tool" : $"{Meaning(result)}; a token locks itself after some wrong PINs";
            throw new Pkcs11Exception(Pkcs11Error.LoginRefused, $"The token '{token.Label}' refuses the login: {hint}.") { ReturnValue = result };
        }
    }

    /// <summary>A private RSA key. It signs and decrypts (PKCS#1 v1.5 and PSS; OAEP), and shows its public half alone.</summary>
    /// <exception cref="Pkcs11Exception">There is none of this name, several are, or it is of another kind.</exception>
    public RSA FindRsa(Pkcs11Name name) => FindKey(name) switch
    {
        RSA rsa => rsa,
        var other => throw Unsuitable(other, name, "no RSA key"),
    };

    /// <summary>A private elliptic curve key (P-256, P-384, P-521). It signs, and shows its public half alone.</summary>
    /// <exception cref="Pkcs11Exception">There is none of this name, several are, or it is of another kind.</exception>
    public ECDsa FindEcdsa(Pkcs11Name name) => FindKey(name) switch
    {
        ECDsa ecdsa => ecdsa,
        var other => throw Unsuitable(other, name, "no elliptic curve key"),
    };

    /// <summary>A private key: an <see cref="RSA"/> or an <see cref="ECDsa"/>.</summary>
    /// <exception cref="Pkcs11Exception">There is none of this name, several are, or it is of neither kind.</exception>
    public AsymmetricAlgorithm FindKey(Pkcs11Name name)
    {
        ArgumentNullException.ThrowIfNull(name);
        lock (_turn)
        {
            ulong key = One(name, CKO_PRIVATE_KEY, "private key");
            ulong kind = Word(Value(key, CKA_KEY_TYPE), name);
            return kind switch
            {
                CKK_RSA => new Pkcs11Rsa(this, key, RsaPublic(key, name)),
                CKK_EC => new Pkcs11Ecdsa(this, key, EcPublic(key, name)),
                _ => throw new Pkcs11Exception(Pkcs11Error.ObjectNotSuitable, $"The key with {name} is neither RSA nor of an elliptic curve (CKK 0x{kind:X})."),
            };
        }
    }

    /// <summary>An X.509 certificate, without its key.</summary>
    /// <exception cref="Pkcs11Exception">There is none of this name, several are, or it is not readable.</exception>
    public X509Certificate2 FindCertificate(Pkcs11Name name)
    {
        ArgumentNullException.ThrowIfNull(name);
        lock (_turn)
        {
            byte[]? der = Value(One(name, CKO_CERTIFICATE, "certificate"), CKA_VALUE);
            try
            {
                return X509CertificateLoader.LoadCertificate(der ?? []);
            }
            catch (CryptographicException error)
            {
                throw new Pkcs11Exception(Pkcs11Error.ObjectNotSuitable, $"The certificate with {name} cannot be read: {error.Message}", error);
            }
        }
    }

    internal bool Offers(ulong mechanism)
    {
        lock (_turn)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            return _module.Mechanisms(_slot).Contains(mechanism);
        }
    }

    internal byte[] Sign(ulong key, ulong mechanism, ReadOnlySpan<byte> parameter, ReadOnlySpan<byte> data, int maxSignature)
    {
        lock (_turn)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            return _module.Sign(_session, key, mechanism, parameter, data, maxSignature);
        }
    }

    internal byte[] Decrypt(ulong key, ulong mechanism, ReadOnlySpan<byte> parameter, ReadOnlySpan<byte> data, int maxPlain)
    {
        lock (_turn)
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            return _module.Decrypt(_session, key, mechanism, parameter, data, maxPlain);
        }
    }

    private ulong One(Pkcs11Name name, ulong kind, string what)
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        ulong[] found = _module.Find(_session, name.Attributes(kind), 2);
        return found.Length == 1 ? found[0] : throw new Pkcs11Exception(Pkcs11Error.ObjectNotFound,
            found.Length == 0 ? $"The token has no {what} with {name}. Look with: pkcs11-tool --module MODULE --login --list-objects" : $"The token has several {what}s with {name}: name id and label.");
    }

    private byte[]? Value(ulong item, ulong attribute) => _module.Attribute(_session, item, attribute);

    private static ulong Word(byte[]? value, Pkcs11Name name)
    {
        if (value is null || value.Length != Pkcs11Module.WordBytes)
            throw new Pkcs11Exception(Pkcs11Error.ObjectNotSuitable, $"The key with {name} does not say what kind it is.");
        return Pkcs11Module.WordBytes == 8 ? BitConverter.ToUInt64(value) : BitConverter.ToUInt32(value);
    }

    private RSAParameters RsaPublic(ulong key, Pkcs11Name name)
    {
        if (Value(key, CKA_MODULUS) is { } modulus && Value(key, CKA_PUBLIC_EXPONENT) is { } exponent)
            return new RSAParameters { Modulus = modulus.AsSpan().TrimStart((byte)0).ToArray(), Exponent = exponent.AsSpan().TrimStart((byte)0).ToArray() };
        using X509Certificate2? certificate = PublicHalf(key, CKO_CERTIFICATE) is { } found && Value(found, CKA_VALUE) is { } der ? X509CertificateLoader.LoadCertificate(der) : null;
        using RSA? rsa = certificate?.GetRSAPublicKey();
        return rsa?.ExportParameters(false) ?? throw NoPublicHalf(name);
    }

    private ECParameters EcPublic(ulong key, Pkcs11Name name)
    {
        if (PublicHalf(key, CKO_PUBLIC_KEY) is { } pair && Value(pair, CKA_EC_PARAMS) is { } curve && Value(pair, CKA_EC_POINT) is { } point)
            return Point(curve, point, name);
        using X509Certificate2? certificate = PublicHalf(key, CKO_CERTIFICATE) is { } found && Value(found, CKA_VALUE) is { } der ? X509CertificateLoader.LoadCertificate(der) : null;
        using ECDsa? ecdsa = certificate?.GetECDsaPublicKey();
        return ecdsa?.ExportParameters(false) ?? throw NoPublicHalf(name);
    }

    /// <summary>The public key or certificate that shares a private key's id: by that they belong together (section 4.2 of the specification).</summary>
    private ulong? PublicHalf(ulong key, ulong kind) => Value(key, CKA_ID) is { } id && _module.Find(_session, new Pkcs11Name(id, null).Attributes(kind), 1) is [var found] ? found : null;

    private static ECParameters Point(byte[] curve, byte[] point, Pkcs11Name name)
    {
        try
        {
            // EC_PARAMS is a DER object identifier; EC_POINT an octet string with the point (some tokens leave the octet string away).
            ECCurve named = ECCurve.CreateFromValue(AsnDecoder.ReadObjectIdentifier(curve, AsnEncodingRules.DER, out _));
            byte[] raw = point is [4, ..] && AsnDecoder.TryReadPrimitiveOctetString(point, AsnEncodingRules.BER, out ReadOnlySpan<byte> inner, out int used) && used == point.Length ? inner.ToArray() : point;
            if (raw.Length % 2 == 1 && raw[0] == 4)
                return new ECParameters { Curve = named, Q = new ECPoint { X = raw[1..(1 + (raw.Length / 2))], Y = raw[(1 + (raw.Length / 2))..] } };
        }
        catch (AsnContentException error)
        {
            throw NoPublicHalf(name, error);
        }
        throw NoPublicHalf(name);
    }

    private static Pkcs11Exception NoPublicHalf(Pkcs11Name name, Exception? inner = null) => new(Pkcs11Error.ObjectNotSuitable,
        $"The token shows no usable public half of the key with {name}: put the public key or the certificate beside it, under the same id.", inner);

    private static Pkcs11Exception Unsuitable(AsymmetricAlgorithm key, Pkcs11Name name, string why)
    {
        key.Dispose();
        return new Pkcs11Exception(Pkcs11Error.ObjectNotSuitable, $"The key with {name} is {why}.");
    }

    /// <summary>Ends the session, and with the last one of the process the login.</summary>
    public void Dispose()
    {
        lock (_turn)
        {
            if (_closed)
                return;
            _closed = true;
            _module.CloseSession(_session);
        }
    }
}
