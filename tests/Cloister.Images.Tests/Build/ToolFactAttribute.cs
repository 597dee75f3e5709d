namespace Cloister.Tests;

/// <summary>A fact that needs programs of the machine, and is skipped with the line that installs them where one is absent.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ToolFactAttribute : FactAttribute
{
    public ToolFactAttribute(params string[] tools) => Skip = Missing(tools);

    internal static string? Missing(string[] tools) => tools.FirstOrDefault(tool => !new[] { "/usr/bin/", "/usr/sbin/", "/sbin/", "/bin/" }.Any(folder => File.Exists(folder + tool))) is { } missing
        ? $"{missing} is not there: apt-get install -y squashfs-tools cryptsetup-bin mtools dosfstools"
        : null;
}

/// <summary>As <see cref="ToolFactAttribute"/>, for theories.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class ToolTheoryAttribute : TheoryAttribute
{
    public ToolTheoryAttribute(params string[] tools) => Skip = ToolFactAttribute.Missing(tools);
}
