namespace Cloister.Cli.Quickstart.Encrypted;

/// <summary>Bytes that would be in the server's memory if it had ever held what they stand for.</summary>
/// <param name="Of">Whose: the e-mail's or row's name.</param>
/// <param name="Form">In which form, in words.</param>
/// <param name="Bytes">The bytes, at least <see cref="Least"/> of them.</param>
internal sealed record Trace(string Of, string Form, byte[] Bytes)
{
    /// <summary>Fewer bytes than this occur by chance.</summary>
    public const int Least = 8;
}
