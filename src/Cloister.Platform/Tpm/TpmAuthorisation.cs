namespace Cloister.Platform.Tpm;

/// <summary>How one handle of a command is authorised (TPMS_AUTH_COMMAND): by its authorisation value in clear, or by a policy session.</summary>
/// <param name="Session">The session's handle; TPM_RS_PW for a value.</param>
/// <param name="Value">The authorisation value; empty for a policy session.</param>
internal readonly record struct TpmAuthorisation(uint Session, ReadOnlyMemory<byte> Value)
{
    /// <summary>The empty authorisation value, which hierarchies and keys have unless somebody took ownership.</summary>
    public static TpmAuthorisation Empty { get; } = new(TpmHandles.Password, default);

    public static TpmAuthorisation Password(ReadOnlyMemory<byte> value) => new(TpmHandles.Password, value);

    public static TpmAuthorisation Policy(TpmObject session) => new(session.Handle, default);
}
