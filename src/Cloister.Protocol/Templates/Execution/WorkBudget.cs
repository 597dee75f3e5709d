using System.Security.Cryptography;

namespace Cloister.Protocol.Templates.Execution;

/// <summary>
/// What one rendering may still do, so that a hostile template ends in a refusal and not in an outage; and the buffers it made,
/// which may hold secrets and are cleared when it ends.
/// </summary>
/// <param name="steps">Steps that are left.</param>
/// <param name="bytes">Bytes of text that are left.</param>
internal sealed class WorkBudget(long steps = Template.MaxSteps, long bytes = Template.MaxWorkBytes) : IDisposable
{
    private readonly List<byte[]> _buffers = [];

    /// <summary>Steps that are left.</summary>
    public long Steps { get; private set; } = steps;

    /// <summary>Bytes of text that are left.</summary>
    public long Bytes { get; private set; } = bytes;

    /// <summary>Counts evaluated nodes, iterations, and written or compared elements.</summary>
    public void Step(long count = 1)
    {
        if ((Steps -= count) < 0)
            throw new ProtocolException(ProtocolError.TemplateTooLong, "template", $"takes more than {Template.MaxSteps} steps.");
    }

    /// <summary>Refuses a text over the bound before it is made.</summary>
    public static void RequireSize(long size)
    {
        if (size > Template.MaxRenderedBytes)
            throw new ProtocolException(ProtocolError.TemplateTooLarge, "template", $"writes more than {Template.MaxRenderedBytes} bytes.");
    }

    /// <summary>A buffer that is cleared at the end.</summary>
    public byte[] Buffer(int size)
    {
        if ((Bytes -= size) < 0)
            throw new ProtocolException(ProtocolError.TemplateTooLarge, "template", $"uses more than {Template.MaxWorkBytes} bytes.");
        byte[] buffer = new byte[size];
        _buffers.Add(buffer);
        return buffer;
    }

    public void Dispose()
    {
        foreach (byte[] buffer in _buffers) CryptographicOperations.ZeroMemory(buffer);
    }
}
