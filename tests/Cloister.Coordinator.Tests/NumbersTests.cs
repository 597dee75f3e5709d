using Cloister.Coordinator.Stores;

namespace Cloister.Coordinator.Tests;

/// <summary>Numbers that others rely on never change their meaning.</summary>
public sealed class NumbersTests
{
    [Fact]
    public void Refusals_keep_their_numbers() => Assert.Equal(
        "WrongState=100 BadRequest=101 TooLarge=102 WrongContentType=103 UnknownEndpoint=104 Busy=105 TooSlow=106 ManifestRefused=200 ManifestNotSupported=201 "
        + "OwnerSignatureRequired=202 OwnerSignatureInvalid=203 NotAuthenticated=300 NotPermitted=301 UnknownSecret=302 SecretRefused=303 OtherManifest=304 NoEvidence=400 "
        + "EvidenceFailed=401 CredentialRefused=402 ChallengeUnknown=500 ChallengeExpired=501 BadUuid=502 UnknownType=503 EvidenceRefused=504 StatementRefused=505 RequestRefused=506 KeyNotBound=507 "
        + "BudgetSpent=508 AwaitingSecrets=509 WireNotAllowed=510 RenewalRefused=511 ParametersRefused=512 EnrolmentRefused=513 SecretNotMade=520 "
        + "UpdateInProgress=600 NoPendingUpdate=601 UpdateRefused=602 OtherUpdate=603 NotAnUpdater=604 RecoverySecretRefused=630 RecoverySignatureInvalid=631 RecoveryFailed=632 RecoveryMoved=633 "
        + "FeatureDisabled=660 QuoteRefused=661 CounterRefused=662 ConnectionWithoutCertificate=663 WorkloadNotAuthenticated=664 StorageFailed=900",
        Text<CoordinatorError>());

    [Fact]
    public void Store_errors_keep_their_numbers() => Assert.Equal(
        "Corrupt=100 NewerFormat=101 TooLarge=102 WrongKey=200 Mixed=201 WriteFailed=300 Faulted=301 InUse=302 Contended=303", Text<StoreError>());

    private static string Text<T>() where T : struct, Enum => string.Join(' ', Enum.GetValues<T>().Select(value => $"{value}={Convert.ToInt32(value, null)}"));
}
