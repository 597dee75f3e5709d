namespace Cloister.Images.Channel;

/// <summary>Hears what a machine says. Called while the channel is read: it must not wait.</summary>
public interface IMachineListener
{
    /// <summary>Something happened inside. The texts are the machine's, without control characters.</summary>
    void Happened(GuestEvent happened);

    /// <summary>A program that the machine started by itself wrote this.</summary>
    void Wrote(ProgramStream from, ReadOnlyMemory<byte> bytes);
}
