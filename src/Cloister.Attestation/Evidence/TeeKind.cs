namespace Cloister.Attestation;

/// <summary>The kind of attester that made a piece of evidence. Numbers are part of the evidence format and are never reused.</summary>
public enum TeeKind : ushort
{
    /// <summary>Not a TEE: a local process that signs what it sees. Proves nothing against the machine it runs on.</summary>
    Simulation = 1,

    /// <summary>TPM 2.0 quote (TCG TPM 2.0 Library, part 2, TPMS_ATTEST).</summary>
    Tpm = 2,

    /// <summary>AMD SEV-SNP attestation report (AMD 56860).</summary>
    SevSnp = 3,

    /// <summary>Intel TDX quote (Intel TDX DCAP quoting library API).</summary>
    Tdx = 4,

    /// <summary>Intel SGX quote (Intel SGX ECDSA quote library API).</summary>
    Sgx = 5,

    /// <summary>NVIDIA GPU measurement report (SPDM 1.1).</summary>
    NvidiaGpu = 6,
}
