using System.Security.Cryptography;

namespace Cloister.Protocol.Templates.Execution;

/// <summary>
/// What one rendering may still do, so that a hostile template ends in a refusal and not in an outage; and the buffers it made,
/// which may hold secrets and are cleared when it ends.
/// </summary>
internal sealed class WorkBudget : IDisposable
{
    private readonly List<byte[]> _buffers = [];
    private long _steps = Template.MaxSteps, _bytes = Template.MaxWorkBytes;

    /// <summary>Counts evaluated nodes, iterations, and written or compared elements.</summary>
    public void Step(long count = 1)
    {
        if ((_steps -= count) < 0)
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
        if ((_bytes -= size) < 0)
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
