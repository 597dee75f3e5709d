using System.Runtime.InteropServices;
using static Cloister.Client.Pkcs11.Cryptoki;

namespace Cloister.Client.Pkcs11;

/// <summary>
/// A PKCS#11 library and its function table, called as the header says: CK_ULONG is the platform's long, structures are packed on Windows.
/// It stays loaded and initialised: other parts of the process may use it too, and finalising would end their sessions.
/// </summary>
internal sealed unsafe class Pkcs11Module
{
    private const int TokenInfoBytes = 512, MaxSlots = 1024, MaxMechanisms = 4096;
    private readonly byte* _functions;

    private Pkcs11Module(byte* functions) => _functions = functions;

    /// <summary>Bytes of CK_ULONG.</summary>
    public static int WordBytes => sizeof(CULong);

    /// <summary>Loads a library by its path.</summary>
    /// <exception cref="Pkcs11Exception"><see cref="Pkcs11Error.ModuleMissing"/>.</exception>
    public static Pkcs11Module Load(string path)
    {
        nint library;
        try
        {
            library = NativeLibrary.Load(path);
        }
        catch (Exception error) when (error is DllNotFoundException or BadImageFormatException)
        {
            throw new Pkcs11Exception(Pkcs11Error.ModuleMissing, $"The PKCS#11 module '{path}' cannot be loaded. Is the path right, and the module for this processor? (Debian, Ubuntu: softhsm2 installs /usr/lib/softhsm/libsofthsm2.so.)", error);
        }
        if (!NativeLibrary.TryGetExport(library, "C_GetFunctionList", out nint export))
            throw new Pkcs11Exception(Pkcs11Error.ModuleMissing, $"'{path}' is no PKCS#11 module: it has no C_GetFunctionList.");
        byte* list = null;
        Check("C_GetFunctionList", ((delegate* unmanaged[Cdecl]<byte**, CULong>)export)(&list).Value);
        if (list is null)
            throw new Pkcs11Exception(Pkcs11Error.ModuleMissing, $"'{path}' gives no function table.");
        // CK_VERSION comes first; what follows is aligned, but for Windows, where everything is packed.
        var module = new Pkcs11Module(list + (OperatingSystem.IsWindows() ? 2 : sizeof(void*)));
        module.Initialize();
        return module;
    }

    private void Initialize()
    {
        // CK_C_INITIALIZE_ARGS: four callbacks that are not given, flags, a reserved pointer.
        byte* arguments = stackalloc byte[(5 * sizeof(void*)) + sizeof(CULong)];
        new Span<byte>(arguments, (5 * sizeof(void*)) + sizeof(CULong)).Clear();
        *(CULong*)(arguments + (4 * sizeof(void*))) = new CULong((nuint)CKF_OS_LOCKING_OK);
        ulong result = ((delegate* unmanaged[Cdecl]<void*, CULong>)Function(C_Initialize))(arguments).Value;
        if (result != CKR_CRYPTOKI_ALREADY_INITIALIZED)
            Check("C_Initialize", result);
    }

    /// <summary>Slots with a token in them.</summary>
    public ulong[] Slots()
    {
        var call = (delegate* unmanaged[Cdecl]<byte, CULong*, CULong*, CULong>)Function(C_GetSlotList);
        CULong* slots = stackalloc CULong[MaxSlots];
        var count = new CULong(MaxSlots);
        Check("C_GetSlotList", call(1, slots, &count).Value);
        return Words(slots, count, MaxSlots);
    }

    /// <summary>What a token says of itself.</summary>
    public TokenInfo Token(ulong slot)
    {
        byte* info = stackalloc byte[TokenInfoBytes];
        new Span<byte>(info, TokenInfoBytes).Clear();
        Check("C_GetTokenInfo", ((delegate* unmanaged[Cdecl]<CULong, byte*, CULong>)Function(C_GetTokenInfo))(new CULong((nuint)slot), info).Value);
        // CK_TOKEN_INFO: label 32, manufacturer 32, model 16, serial number 16, flags; blank padded, not ended by a zero.
        return new TokenInfo(slot, Text(info, 32), Text(info + 80, 16), (*(CULong*)(info + 96)).Value);

        static string Text(byte* at, int length) => System.Text.Encoding.UTF8.GetString(new ReadOnlySpan<byte>(at, length)).TrimEnd(' ', '\0');
    }

    /// <summary>Mechanisms of a token.</summary>
    public ulong[] Mechanisms(ulong slot)
    {
        var call = (delegate* unmanaged[Cdecl]<CULong, CULong*, CULong*, CULong>)Function(C_GetMechanismList);
        var count = new CULong(MaxMechanisms);
        var list = new CULong[MaxMechanisms];
        fixed (CULong* mechanisms = list)
        {
            Check("C_GetMechanismList", call(new CULong((nuint)slot), mechanisms, &count).Value);
            return Words(mechanisms, count, MaxMechanisms);
        }
    }

    public ulong OpenSession(ulong slot)
    {
        CULong session;
        Check("C_OpenSession", ((delegate* unmanaged[Cdecl]<CULong, CULong, void*, void*, CULong*, CULong>)Function(C_OpenSession))(
            new CULong((nuint)slot), new CULong((nuint)CKF_SERIAL_SESSION), null, null, &session).Value);
        return session.Value;
    }

    public void CloseSession(ulong session) =>
        Check("C_CloseSession", ((delegate* unmanaged[Cdecl]<CULong, CULong>)Function(C_CloseSession))(new CULong((nuint)session)).Value);

    /// <summary>Logs the user in; the token's return value, since each has its own remedy.</summary>
    /// <param name="session">The session.</param>
    /// <param name="pin">The PIN; null where the token asks for it on its own keypad.</param>
    public ulong Login(ulong session, ReadOnlySpan<byte> pin)
    {
        fixed (byte* text = pin)
        {
            return ((delegate* unmanaged[Cdecl]<CULong, CULong, byte*, CULong, CULong>)Function(C_Login))(
                new CULong((nuint)session), new CULong((nuint)CKU_USER), text, new CULong((nuint)pin.Length)).Value;
        }
    }

    /// <summary>Objects that have all of these attributes, at most <paramref name="limit"/>.</summary>
    public ulong[] Find(ulong session, IReadOnlyList<(ulong Type, byte[] Value)> wanted, int limit)
    {
        var handle = new CULong((nuint)session);
        using var template = new AttributeTemplate(wanted);
        Check("C_FindObjectsInit", ((delegate* unmanaged[Cdecl]<CULong, byte*, CULong, CULong>)Function(C_FindObjectsInit))(handle, template.Pointer, new CULong((nuint)wanted.Count)).Value);
        try
        {
            CULong* found = stackalloc CULong[limit];
            CULong count;
            Check("C_FindObjects", ((delegate* unmanaged[Cdecl]<CULong, CULong*, CULong, CULong*, CULong>)Function(C_FindObjects))(handle, found, new CULong((nuint)limit), &count).Value);
            return Words(found, count, limit);
        }
        finally
        {
            Check("C_FindObjectsFinal", ((delegate* unmanaged[Cdecl]<CULong, CULong>)Function(C_FindObjectsFinal))(handle).Value);
        }
    }

    /// <summary>One attribute's value; null where the object has none or does not show it.</summary>
    public byte[]? Attribute(ulong session, ulong item, ulong type)
    {
        const int MaxAttribute = 64 << 10;
        var call = (delegate* unmanaged[Cdecl]<CULong, CULong, byte*, CULong, CULong>)Function(C_GetAttributeValue);
        byte* attribute = stackalloc byte[(2 * sizeof(CULong)) + sizeof(void*)];
        CULong* length = (CULong*)(attribute + sizeof(CULong) + sizeof(void*));
        *(CULong*)attribute = new CULong((nuint)type);
        *(void**)(attribute + sizeof(CULong)) = null;
        *length = default;
        // An attribute that is not there is said both by the result and by a length of all ones.
        if (call(new CULong((nuint)session), new CULong((nuint)item), attribute, new CULong(1)).Value != CKR_OK || length->Value is 0 or > MaxAttribute)
            return null;
        var value = new byte[(int)length->Value];
        fixed (byte* target = value)
        {
            *(void**)(attribute + sizeof(CULong)) = target;
            Check("C_GetAttributeValue", call(new CULong((nuint)session), new CULong((nuint)item), attribute, new CULong(1)).Value);
        }
        return value[..(int)Math.Min(length->Value, (nuint)value.Length)];
    }

    /// <summary>Signs with one mechanism in one call.</summary>
    public byte[] Sign(ulong session, ulong key, ulong mechanism, ReadOnlySpan<byte> parameter, ReadOnlySpan<byte> data, int maxSignature) =>
        Operate(session, key, mechanism, parameter, data, maxSignature, C_SignInit, C_Sign, "C_Sign");

    /// <summary>Decrypts with one mechanism in one call.</summary>
    public byte[] Decrypt(ulong session, ulong key, ulong mechanism, ReadOnlySpan<byte> parameter, ReadOnlySpan<byte> data, int maxPlain) =>
        Operate(session, key, mechanism, parameter, data, maxPlain, C_DecryptInit, C_Decrypt, "C_Decrypt");

    private byte[] Operate(ulong session, ulong key, ulong mechanism, ReadOnlySpan<byte> parameter, ReadOnlySpan<byte> data, int limit, int start, int work, string name)
    {
        var handle = new CULong((nuint)session);
        byte* description = stackalloc byte[(2 * sizeof(CULong)) + sizeof(void*)];
        var output = new byte[limit];
        fixed (byte* parameters = parameter, input = data, target = output)
        {
            *(CULong*)description = new CULong((nuint)mechanism);
            *(void**)(description + sizeof(CULong)) = parameters;
            *(CULong*)(description + sizeof(CULong) + sizeof(void*)) = new CULong((nuint)parameter.Length);
            Check(name + "Init", ((delegate* unmanaged[Cdecl]<CULong, byte*, CULong, CULong>)Function(start))(handle, description, new CULong((nuint)key)).Value);
            var length = new CULong((nuint)limit);
            Check(name, ((delegate* unmanaged[Cdecl]<CULong, byte*, CULong, byte*, CULong*, CULong>)Function(work))(handle, input, new CULong((nuint)data.Length), target, &length).Value);
            byte[] result = output[..(int)Math.Min(length.Value, (nuint)limit)];
            System.Security.Cryptography.CryptographicOperations.ZeroMemory(output);
            return result;
        }
    }

    private void* Function(int index) => ((void**)_functions)[index] is var function && function is not null
        ? function
        : throw new Pkcs11Exception(Pkcs11Error.ModuleMissing, $"The PKCS#11 module has no function at place {index} of its table.");

    private static ulong[] Words(CULong* words, CULong count, int limit)
    {
        var values = new ulong[(int)Math.Min(count.Value, (nuint)limit)];
        for (int i = 0; i < values.Length; i++)
            values[i] = words[i].Value;
        return values;
    }

    private static void Check(string operation, ulong result)
    {
        if (result != CKR_OK)
            throw new Pkcs11Exception(Pkcs11Error.OperationRefused, $"The PKCS#11 token refused {operation}: {Meaning(result)}.") { ReturnValue = result };
    }
}

/// <summary>What a token says of itself.</summary>
internal sealed record TokenInfo(ulong Slot, string Label, string Serial, ulong Flags);
