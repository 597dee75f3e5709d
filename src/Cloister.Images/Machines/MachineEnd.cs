namespace Cloister.Images.Machines;

/// <summary>How a machine ended.</summary>
/// <param name="Code">The exit code of the program that it started by itself; null if it did not say one.</param>
/// <param name="Reason">For people.</param>
/// <param name="Orderly">Whether nothing failed: the machine itself said that it ends and of no failure, or the host ended it before it was ready.</param>
public sealed record MachineEnd(int? Code, string Reason, bool Orderly);
