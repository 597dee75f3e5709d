using Microsoft.Win32.SafeHandles;

namespace Cloister.Agent.Programs;

/// <summary>What is started: the file that is executed, the whole argument vector, and where its standard streams go.</summary>
/// <param name="File">What is executed: an entry's launcher.</param>
/// <param name="Arguments">The argument vector, its first element included.</param>
/// <param name="Directory">The working directory.</param>
/// <param name="Input">Whether somebody writes to its standard input; else it is empty.</param>
/// <param name="Output">Whether somebody reads what it writes; else it is dropped.</param>
internal sealed record ProgramStart(string File, IReadOnlyList<string> Arguments, string Directory, bool Input, bool Output);

/// <summary>A started program. The ends of its pipes are null where nobody asked for them.</summary>
internal sealed class RunningProgram(int id, Task<int> ended, SafeFileHandle? input, SafeFileHandle? output, SafeFileHandle? error) : IDisposable
{
    /// <summary>Its process, and the number of its process group.</summary>
    public int Id { get; } = id;

    /// <summary>Its exit code; 128 plus the signal's number if a signal ended it.</summary>
    public Task<int> Ended { get; } = ended;

    /// <summary>What it reads, here to be written.</summary>
    public SafeFileHandle? Input { get; } = input;

    /// <summary>What it writes.</summary>
    public SafeFileHandle? Output { get; } = output;

    /// <summary>What it writes of errors.</summary>
    public SafeFileHandle? Error { get; } = error;

    public void Dispose()
    {
        Input?.Dispose();
        Output?.Dispose();
        Error?.Dispose();
    }
}
