using Cloister.Serving.Callers.Quotas;
using Cloister.Serving.Callers.Tokens;
using Cloister.Workload;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Cloister.Serving.Callers;

/// <summary>
/// Who may use which model, and how much, as the manifest says now: bearer tokens by their SHA-256 in constant time, JWTs by their issuer's
/// keys and their claims, client certificates byte for byte or by their authority and names. Without any of them, only models open to anybody.
/// </summary>
internal sealed class CallerRegistry : IAsyncDisposable
{
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly QuotaBook _quotas;
    private readonly RefusalLog _refusals;
    private readonly Lock _replacing = new();
    private readonly List<Task> _ending = [];
    private CallerBook _book;

    /// <exception cref="ArgumentException">The rights contradict themselves.</exception>
    public CallerRegistry(CallerRights rights, TimeProvider time, ILogger logger)
    {
        (_time, _logger, _quotas, _refusals) = (time, logger, new QuotaBook(time), new RefusalLog(time, logger));
        _book = Open(rights, []);
    }

    /// <summary>Ends when every token issuer's keys were fetched once, or could not be.</summary>
    public Task KeysTried => Task.WhenAll(Volatile.Read(ref _book).Issuers.Select(issuer => issuer.Keys.FirstTry));

    /// <summary>Credentials refused since the start.</summary>
    public long Refused => _refusals.Count;

    /// <summary>
    /// Takes other rights from the next request on. Requests under way keep what they were allowed, callers that stay keep what they have used
    /// up, and issuers whose keys are the same keep them.
    /// </summary>
    /// <exception cref="ArgumentException">The rights contradict themselves; those before stay.</exception>
    public void Replace(CallerRights rights)
    {
        lock (_replacing)
        {
            CallerBook before = _book, after = Open(rights, before.Issuers);
            _quotas.Keep(rights.Callers.Select(caller => caller.Name).ToHashSet(StringComparer.Ordinal));
            Volatile.Write(ref _book, after);
            // The book before stays usable for whoever holds it: its certificates go with the last request.
            foreach (TokenIssuer issuer in before.Issuers)
                if (after.Issuers.All(kept => kept.Keys != issuer.Keys)) _ending.Add(issuer.Keys.DisposeAsync().AsTask());
            _ending.RemoveAll(task => task.IsCompleted);
        }
        _logger.RightsReplaced(rights.Callers.Count, rights.TokenIssuers.Count, rights.AnonymousModels.Count);
    }

    /// <summary>Checks that whoever asks may use the model.</summary>
    /// <returns>The caller; null where the model is open to anybody and nobody was named.</returns>
    /// <exception cref="ServingException"><see cref="ServingError.Unauthenticated"/>, <see cref="ServingError.CredentialRefused"/>, <see cref="ServingError.Forbidden"/> or <see cref="ServingError.KeysUnavailable"/>.</exception>
    public Caller? Authorise(HttpContext http, string model) => Authorise(Volatile.Read(ref _book), http, model);

    /// <summary>As <see cref="Authorise(HttpContext, string)"/>, and takes a request out of the caller's budget.</summary>
    /// <returns>To be disposed with the request.</returns>
    /// <exception cref="ServingException">As <see cref="Authorise(HttpContext, string)"/>, or <see cref="ServingError.QuotaExceeded"/>.</exception>
    public CallPermit Enter(HttpContext http, string model)
    {
        CallerBook book = Volatile.Read(ref _book);
        Caller? caller = Authorise(book, http, model);
        QuotaMeter? meter = book.Meter(caller, model);
        meter?.Enter();
        return new CallPermit(caller, meter);
    }

    /// <summary>Checks that whoever asks may load, unload and reload models.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.Unauthenticated"/>, <see cref="ServingError.CredentialRefused"/>, <see cref="ServingError.NotAdministrator"/> or <see cref="ServingError.KeysUnavailable"/>.</exception>
    public Caller RequireAdministrator(HttpContext http)
    {
        Caller[] callers = Recognise(Volatile.Read(ref _book), http);
        if (callers.Length == 0)
            throw new ServingException(ServingError.Unauthenticated, "Models are administered by callers whom the manifest names for it: send a bearer token or a client certificate.");
        return callers.FirstOrDefault(caller => caller.AdministersModels)
            ?? throw new ServingException(ServingError.NotAdministrator, $"Caller '{callers[0].Name}' may not administer models; the manifest's 'Administers' can allow it.");
    }

    /// <summary>Checks that whoever asks may use some model: all that can be said before the message that names one is read.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.Unauthenticated"/>, <see cref="ServingError.CredentialRefused"/> or <see cref="ServingError.KeysUnavailable"/>.</exception>
    public void RequireAnyRight(HttpContext http)
    {
        CallerBook book = Volatile.Read(ref _book);
        if (Recognise(book, http).Length == 0 && !book.HasOpen)
            throw new ServingException(ServingError.Unauthenticated, "No model is open to anybody here: send a bearer token or a client certificate that the manifest names.");
    }

    /// <summary>Who may use the model without a limit of rows, in words.</summary>
    public IReadOnlyList<string> WithoutRowLimit(string model) =>
        [.. Volatile.Read(ref _book).WithoutRowLimit(model).Select(caller => caller is null ? "everybody" : $"caller '{caller.Name}'")];

    /// <summary>Everybody whom the request's credential names; nobody where it has none.</summary>
    /// <exception cref="ServingException"><see cref="ServingError.CredentialRefused"/> or <see cref="ServingError.KeysUnavailable"/>.</exception>
    public IReadOnlyList<Caller> Recognise(HttpContext http) => Recognise(Volatile.Read(ref _book), http);

    private Caller? Authorise(CallerBook book, HttpContext http, string model)
    {
        Caller[] callers = Recognise(book, http);
        Caller? caller = callers.FirstOrDefault(caller => caller.MayUse(model));
        if (caller is not null) return caller;
        if (book.IsOpen(model)) return callers.FirstOrDefault();
        if (callers.Length == 0)
            throw new ServingException(ServingError.Unauthenticated, $"Model '{model}' is not open to anybody: send a bearer token or a client certificate that the manifest names.");
        throw new ServingException(ServingError.Forbidden, $"Caller '{callers[0].Name}' may not use model '{model}'; the manifest's operator can allow it.");
    }

    private Caller[] Recognise(CallerBook book, HttpContext http)
    {
        try
        {
            return book.Recognise(http, _time.GetUtcNow());
        }
        catch (ServingException refusal)
        {
            _refusals.Add(http, refusal);
            throw;
        }
    }

    private CallerBook Open(CallerRights rights, IReadOnlyList<TokenIssuer> before)
    {
        var issuers = new List<TokenIssuer>();
        var begun = new List<IssuerKeys>();
        try
        {
            foreach (TokenIssuerGrant grant in rights.TokenIssuers)
            {
                IssuerKeys? keys = before.Select(issuer => issuer.Keys).FirstOrDefault(keys => keys.IsFor(grant));
                if (keys is null) begun.Add(keys = new IssuerKeys(grant, _time, _logger));
                issuers.Add(new TokenIssuer(grant, keys));
            }
            return new CallerBook(rights, issuers, _quotas);
        }
        catch
        {
            lock (_replacing)
                foreach (IssuerKeys keys in begun) _ending.Add(keys.DisposeAsync().AsTask());
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (TokenIssuer issuer in _book.Issuers) await issuer.Keys.DisposeAsync();
        await Task.WhenAll(_ending);
        _book.Dispose();
    }
}
