using System.Collections.Immutable;

namespace Cloister.Images.Boot;

/// <summary>A kernel, its modules and systemd's stub, unpacked and checked.</summary>
/// <param name="Vmlinuz">The kernel, an EFI program.</param>
/// <param name="Stub">systemd-stub, an EFI program.</param>
/// <param name="Modules">The folder with the kernel's modules.</param>
/// <param name="Packages">Where they come from, for an image's lock.</param>
public sealed record KernelFiles(string Vmlinuz, string Stub, string Modules, ImmutableArray<PinnedPackage> Packages);
