using Cloister.Protocol.Manifest;

namespace Cloister.Coordinator.Manifest;

/// <summary>MarbleRun's features that a manifest switches on, in any case.</summary>
internal static class FeatureGate
{
    public const string SignQuote = "SignQuoteEndpoint", MonotonicCounter = "MonotonicCounter", AzureHsmSealing = "AzureHSMSealing";

    // MarbleRun's words where its variables are missing, which they always are here.
    public const string WithoutAzure = "checking manifest: manifest enables sealing with Azure HSM key, but required environment variables are not set: "
        + "[EDG_MAA_URL EDG_AZURE_HSM_VAULT_URL EDG_AZURE_HSM_KEY_NAME EDG_AZURE_CLIENT_ID EDG_AZURE_TENANT_ID EDG_AZURE_CLIENT_SECRET]; "
        + "this coordinator does not seal with Azure's HSM, whether they are set or not";

    /// <summary>Whether a manifest enables a feature; none does while no manifest is in force.</summary>
    public static bool IsEnabled(ManifestDocument? manifest, string feature) =>
        manifest is not null && manifest.Config.FeatureGates.Contains(feature, StringComparer.OrdinalIgnoreCase);

    /// <exception cref="CoordinatorException">FeatureDisabled.</exception>
    public static void Require(ManifestDocument? manifest, string feature)
    {
        if (!IsEnabled(manifest, feature))
            throw new CoordinatorException(CoordinatorError.FeatureDisabled, $"{feature} feature is not enabled in the manifest");
    }
}
