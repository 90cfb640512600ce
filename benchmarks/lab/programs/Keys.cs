// Keys of .NET: mono Keys.exe FOLDER live|freed KIND...
using System;
using System.Collections.Generic;
using System.IO;
using System.Numerics;
using System.Security.Cryptography;
using System.Threading;

static class Program
{
    static List<object> held = new List<object>();
    static byte[] Read(string folder, string kind, string name) { return File.ReadAllBytes(folder + "/" + kind + "." + name + ".num"); }
    static byte[] Padded(byte[] raw, int size) { var to = new byte[size]; raw.CopyTo(to, size - raw.Length); return to; }
    static BigInteger Number(byte[] raw) { var copy = new byte[raw.Length + 1]; raw.CopyTo(copy, 1); Array.Reverse(copy); return new BigInteger(copy); }

    static void Load(string folder, string kind)
    {
        byte[] n = Read(folder, kind, "n"), d = Read(folder, kind, "d"), p = Read(folder, kind, "p"), q = Read(folder, kind, "q");
        int half = n.Length / 2;
        var rsa = new RSACryptoServiceProvider();
        rsa.PersistKeyInCsp = false;
        rsa.ImportParameters(new RSAParameters { Modulus = n, Exponent = Read(folder, kind, "e"), D = Padded(d, n.Length), P = p, Q = q,
            DP = Padded(Read(folder, kind, "dp"), half), DQ = Padded(Read(folder, kind, "dq"), half), InverseQ = Padded(Read(folder, kind, "qinv"), half) });
        rsa.SignData(new byte[] { 1, 2, 3 }, "SHA256");
        held.Add(rsa);
        var numbers = new[] { Number(n), Number(d), Number(p), Number(q) };
        BigInteger.ModPow(12345, numbers[1], numbers[0]);
        held.Add(numbers);
        Array.Clear(d, 0, d.Length); Array.Clear(p, 0, p.Length); Array.Clear(q, 0, q.Length);
    }

    static void Main(string[] args)
    {
        for (int i = 2; i < args.Length; i++) Load(args[0], args[i]);
        if (args[1] == "freed") { held = new List<object>(); GC.Collect(); GC.WaitForPendingFinalizers(); GC.Collect(); held.Add(new byte[64]); }
        Console.WriteLine("ready");
        Console.Out.Flush();
        Thread.Sleep(3600000);
        GC.KeepAlive(held);
    }
}
