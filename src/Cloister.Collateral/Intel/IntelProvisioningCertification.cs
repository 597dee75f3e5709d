using System.Text;
using System.Text.Unicode;
using Cloister.Attestation.Dcap;

namespace Cloister.Collateral;

/// <summary>
/// Intel's Provisioning Certification Service, version 4, or a PCCS, which answers alike. The text that Intel signed is kept byte for byte.
/// </summary>
public sealed class IntelProvisioningCertification : ICollateralSource, IDisposable
{
    private const int MaximumJson = 512 * 1024, MaximumList = 256 * 1024;

    private readonly VendorService _service;
    private readonly Uri _rootCrl;

    /// <summary>Opens no connection yet.</summary>
    /// <param name="options">How it is asked.</param>
    /// <param name="rootCrlAddress">
    /// Where the root's revocation list is. If left out: on Intel's own service at <c>certificates.trustedservices.intel.com</c>, on any
    /// other (a PCCS) at <c>sgx/certification/v4/rootcacrl</c> below its address.
    /// </param>
    /// <exception cref="ArgumentException">An option cannot be.</exception>
    public IntelProvisioningCertification(CollateralServiceOptions? options = null, Uri? rootCrlAddress = null)
    {
        _service = new VendorService(options ?? new(), new Uri("https://api.trustedservices.intel.com/"), TimeSpan.Zero);
        _rootCrl = rootCrlAddress is not null ? VendorService.Secure(rootCrlAddress, isFolder: false)
            : options?.Address is null ? new Uri("https://certificates.trustedservices.intel.com/IntelSGXRootCA.der")
            : new Uri(_service.Address, "sgx/certification/v4/rootcacrl");
    }

    /// <inheritdoc/>
    public async Task<CollateralItem> GetAsync(CollateralRequest request, CancellationToken cancellation = default)
    {
        if (request is not DcapRequest dcap) throw new CollateralException(CollateralError.NotServed, $"Intel does not serve {request.Name}.");
        string v4 = "certification/v4/";
        Uri tcb = new(_service.Address, $"{dcap.Tee}/{v4}tcb?fmspc={dcap.Platform.Fmspc.ToUpperInvariant()}"),
            identity = new(_service.Address, $"{dcap.Tee}/{v4}qe/identity"),
            list = new(_service.Address, $"sgx/{v4}pckcrl?ca={dcap.Ca}&encoding=der");
        Signed tcbInfo = await SignedAsync(tcb, "tcbInfo", ["TCB-Info-Issuer-Chain", "SGX-TCB-Info-Issuer-Chain"], cancellation);
        Signed qeIdentity = await SignedAsync(identity, "enclaveIdentity", ["SGX-Enclave-Identity-Issuer-Chain"], cancellation);
        VendorAnswer pckCrl = await _service.GetAsync(list, MaximumList, cancellation);
        VendorAnswer rootCrl = await _service.GetAsync(_rootCrl, MaximumList, cancellation);
        var collateral = new DcapCollateral
        {
            PckCrlIssuerChain = ChainOf(pckCrl, list, ["SGX-PCK-CRL-Issuer-Chain"]),
            RootCrl = DerOf(rootCrl.Body, _rootCrl),
            PckCrl = DerOf(pckCrl.Body, list),
            TcbInfoIssuerChain = tcbInfo.Chain,
            TcbInfo = tcbInfo.Text,
            TcbInfoSignature = tcbInfo.Signature,
            QeIdentityIssuerChain = qeIdentity.Chain,
            QeIdentity = qeIdentity.Text,
            QeIdentitySignature = qeIdentity.Signature,
        };
        string origin = _service.Address.ToString();
        return CollateralRequest.Dated(request.Accept(collateral.ToJson(), origin, _service.Time), StaleCollateral.Refuse, origin);
    }

    /// <inheritdoc/>
    public void Dispose() => _service.Dispose();

    private async Task<Signed> SignedAsync(Uri address, string member, string[] chainHeaders, CancellationToken cancellation)
    {
        VendorAnswer answer = await _service.GetAsync(address, MaximumJson, cancellation);
        // Checked here, for text that is not Unicode would not survive being written.
        if (!Utf8.IsValid(answer.Body)) throw Malformed(address, "it is not UTF-8");
        var split = DcapCollateral.SplitAnswer(answer.Body, member);
        return split.IsAccepted
            ? new Signed(split.Value.Text, split.Value.Signature, ChainOf(answer, address, chainHeaders))
            : throw Malformed(address, $"{split.Field}: {split.Reason}");
    }

    /// <summary>A certificate chain in a header: PEM, percent-encoded. Older services have a name of their own for it.</summary>
    private static byte[] ChainOf(VendorAnswer answer, Uri address, ReadOnlySpan<string> names)
    {
        foreach (string name in names)
            if (answer.Headers.TryGetValues(name, out IEnumerable<string>? values)) return Encoding.ASCII.GetBytes(Uri.UnescapeDataString(string.Concat(values)));
        throw Malformed(address, $"it lacks the header {names[0]}");
    }

    /// <summary>A list in DER; services before it also send it in hexadecimal.</summary>
    private static byte[] DerOf(byte[] body, Uri address)
    {
        const byte Sequence = 0x30; // the digits of a list in hexadecimal begin with '3'
        if (body.Length > 0 && body[0] == Sequence) return body;
        try
        {
            return Convert.FromHexString(Encoding.ASCII.GetString(body).Trim());
        }
        catch (FormatException neither)
        {
            throw new CollateralException(CollateralError.Malformed, $"{address} is no revocation list: neither DER nor hexadecimal.", neither);
        }
    }

    private static CollateralException Malformed(Uri address, string reason) => new(CollateralError.Malformed, $"{address} is not what was asked for: {reason}.");

    private readonly record struct Signed(ReadOnlyMemory<byte> Text, ReadOnlyMemory<byte> Signature, byte[] Chain);
}
