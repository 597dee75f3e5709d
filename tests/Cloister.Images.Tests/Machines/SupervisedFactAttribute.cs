using Cloister.Images;
using Cloister.Images.Machines;

namespace Cloister.Tests.Machines;

/// <summary>A fact that starts QEMU or a TPM; skipped, with the reason, where they are missing.</summary>
[AttributeUsage(AttributeTargets.Method)]
internal sealed class SupervisedFactAttribute : FactAttribute
{
    public SupervisedFactAttribute()
    {
        try
        {
            HostTools.Find();
        }
        catch (ImageException missing)
        {
            Skip = missing.Message;
        }
    }
}
