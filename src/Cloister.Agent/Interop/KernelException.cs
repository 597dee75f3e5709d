using System.Runtime.InteropServices;

namespace Cloister.Agent.Interop;

/// <summary>A system call failed. The message names the call, what it was for and the kernel's reason.</summary>
internal sealed class KernelException : Exception
{
    /// <summary>Makes an exception of what the last call of this thread left.</summary>
    public KernelException(string call, string what)
        : this(call, what, Marshal.GetLastPInvokeError())
    {
    }

    /// <summary>Makes an exception of an error number.</summary>
    public KernelException(string call, string what, int number)
        : base($"{what}: {call}: {Marshal.GetPInvokeErrorMessage(number)} ({number})") => Number = number;

    /// <summary>The error's number (errno).</summary>
    public int Number { get; }

    /// <summary>Throws unless a call answered zero or more.</summary>
    public static int Check(int answer, string call, string what) => answer >= 0 ? answer : throw new KernelException(call, what);
}
