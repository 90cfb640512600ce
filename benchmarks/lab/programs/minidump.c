/* Write a minidump of a running process, as Task Manager or procdump do.

   usage: MINIDUMP PROGRAM.EXE FILE full|private

   Full is what MiniDumpWithFullMemory lists (Memory64List), private what MiniDumpWithPrivateReadWrite-
   Memory and its stacks do (MemoryList). Wine's own MiniDumpWriteDump reads 1 KiB at a time: minutes. */
#include <windows.h>
#include <dbghelp.h>
#include <psapi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tlhelp32.h>

enum { STREAMS = 5, MODULES = 512, THREADS = 512, REGIONS = 1 << 16, PIECE = 1 << 20 };
static MINIDUMP_MODULE modules[MODULES];
static MINIDUMP_THREAD threads[THREADS];
static MINIDUMP_MEMORY_INFO regions[REGIONS];
static struct { ULONG64 start, size; } kept[REGIONS];
static ULONG32 module_count, thread_count, region_count, kept_count;
static MINIDUMP_DIRECTORY directory[STREAMS];
static FILE *file;

static RVA put(const void *data, size_t size)
{
    RVA at = (RVA)ftell(file);
    fwrite(data, 1, size, file);
    return at;
}

static void stream(int number, ULONG32 type, RVA at)
{
    MINIDUMP_DIRECTORY entry = {type, {(ULONG32)ftell(file) - at, at}};
    directory[number] = entry;
}

static DWORD find(const char *name)
{
    PROCESSENTRY32 entry = {sizeof entry};
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPPROCESS, 0);
    DWORD id = 0;
    for (BOOL more = Process32First(all, &entry); more; more = Process32Next(all, &entry))
        if (!_stricmp(entry.szExeFile, name)) id = entry.th32ProcessID;
    return id;
}

static void list_regions(HANDLE process, int whole)
{
    MEMORY_BASIC_INFORMATION info;
    for (char *at = 0; region_count < REGIONS && VirtualQueryEx(process, at, &info, sizeof info);
         at = (char *)info.BaseAddress + info.RegionSize) {
        if ((char *)info.BaseAddress + info.RegionSize <= at) break;
        if (info.State == MEM_FREE) continue;
        MINIDUMP_MEMORY_INFO row = {(ULONG_PTR)info.BaseAddress, (ULONG_PTR)info.AllocationBase,
            info.AllocationProtect, 0, info.RegionSize, info.State, info.Protect, info.Type, 0};
        regions[region_count++] = row;
        int held = info.State == MEM_COMMIT && !(info.Protect & (PAGE_NOACCESS | PAGE_GUARD));
        int private = info.Type == MEM_PRIVATE && info.Protect & (PAGE_READWRITE | PAGE_EXECUTE_READWRITE);
        if (held && (whole || private)) {
            kept[kept_count].start = (ULONG_PTR)info.BaseAddress;
            kept[kept_count++].size = info.RegionSize;
        }
    }
}

static void list_modules(HANDLE process)
{
    HMODULE handles[MODULES];
    DWORD size = 0;
    EnumProcessModules(process, handles, sizeof handles, &size);
    for (; module_count < size / sizeof *handles && module_count < MODULES; module_count++) {
        MODULEINFO info;
        WCHAR name[MAX_PATH];
        GetModuleInformation(process, handles[module_count], &info, sizeof info);
        ULONG32 length = 2 * GetModuleFileNameExW(process, handles[module_count], name, MAX_PATH);
        MINIDUMP_MODULE *row = modules + module_count;
        row->BaseOfImage = (ULONG_PTR)info.lpBaseOfDll;
        row->SizeOfImage = info.SizeOfImage;
        row->ModuleNameRva = put(&length, 4);
        put(name, length + 2);
    }
}

static void list_threads(DWORD id)
{
    THREADENTRY32 entry = {sizeof entry};
    HANDLE all = CreateToolhelp32Snapshot(TH32CS_SNAPTHREAD, 0);
    for (BOOL more = Thread32First(all, &entry); more; more = Thread32Next(all, &entry)) {
        if (entry.th32OwnerProcessID != id || thread_count == THREADS) continue;
        HANDLE thread = OpenThread(THREAD_ALL_ACCESS, FALSE, entry.th32ThreadID);
        CONTEXT context __attribute__((aligned(16)));
        memset(&context, 0, sizeof context);
        context.ContextFlags = CONTEXT_ALL;
        SuspendThread(thread);
        GetThreadContext(thread, &context);
        MINIDUMP_THREAD *row = threads + thread_count++;
#ifdef _WIN64
        ULONG64 stack = context.Rsp;
#else
        ULONG64 stack = context.Esp;
#endif
        row->ThreadId = entry.th32ThreadID;
        for (ULONG32 i = 0; i < region_count; i++)
            if (stack - regions[i].BaseAddress < regions[i].RegionSize) {
                row->Stack.StartOfMemoryRange = stack;
                row->Stack.Memory.DataSize = (ULONG32)(regions[i].BaseAddress + regions[i].RegionSize - stack);
            }
        row->ThreadContext.DataSize = sizeof context;
        row->ThreadContext.Rva = put(&context, sizeof context);
        CloseHandle(thread);
    }
}

/* Where a page cannot be read, zeros stand for its piece. */
static void put_memory(HANDLE process, ULONG64 start, ULONG64 size)
{
    char *piece = malloc(PIECE);
    for (ULONG64 at = 0; at < size; at += PIECE) {
        SIZE_T length = size - at < PIECE ? (SIZE_T)(size - at) : PIECE, got;
        memset(piece, 0, PIECE);
        ReadProcessMemory(process, (void *)(ULONG_PTR)(start + at), piece, length, &got);
        put(piece, length);
    }
    free(piece);
}

int main(int argc, char **argv)
{
    DWORD id = find(argv[1]);
    HANDLE process = OpenProcess(PROCESS_ALL_ACCESS, FALSE, id);
    int whole = !strcmp(argv[3], "full");
    file = argc == 4 && process ? fopen(argv[2], "wb") : NULL;
    if (!file) { fprintf(stderr, "failed: %lu\n", GetLastError()); return 1; }
    MINIDUMP_HEADER header = {MINIDUMP_SIGNATURE, MINIDUMP_VERSION, STREAMS, sizeof header};
    MINIDUMP_SYSTEM_INFO system = {0};
#ifdef _WIN64
    system.ProcessorArchitecture = PROCESSOR_ARCHITECTURE_AMD64;
#endif
    system.MajorVersion = 10;
    system.BuildNumber = 19045;
    system.PlatformId = VER_PLATFORM_WIN32_NT;
    put(&header, sizeof header);
    put(directory, sizeof directory);
    list_regions(process, whole);
    list_threads(id);
    list_modules(process);
    stream(0, SystemInfoStream, put(&system, sizeof system));
    RVA at = put(&thread_count, 4);
    put(threads, thread_count * sizeof *threads);
    stream(1, ThreadListStream, at);
    at = put(&module_count, 4);
    put(modules, module_count * sizeof *modules);
    stream(2, ModuleListStream, at);
    MINIDUMP_MEMORY_INFO_LIST infos = {sizeof infos, sizeof *regions, region_count};
    at = put(&infos, sizeof infos);
    put(regions, region_count * sizeof *regions);
    stream(3, MemoryInfoListStream, at);
    if (whole) {
        ULONG64 head[2] = {kept_count, ftell(file) + sizeof head + kept_count * sizeof *kept};
        at = put(head, sizeof head);
        put(kept, kept_count * sizeof *kept);
    } else {
        RVA next = (RVA)ftell(file) + 4 + kept_count * sizeof(MINIDUMP_MEMORY_DESCRIPTOR);
        at = put(&kept_count, 4);
        for (ULONG32 i = 0; i < kept_count; i++) {
            MINIDUMP_MEMORY_DESCRIPTOR row = {kept[i].start, {(ULONG32)kept[i].size, next}};
            put(&row, sizeof row);
            next += (RVA)kept[i].size;
        }
    }
    stream(4, whole ? Memory64ListStream : MemoryListStream, at);
    for (ULONG32 i = 0; i < kept_count; i++) put_memory(process, kept[i].start, kept[i].size);
    fseek(file, sizeof header, SEEK_SET);
    put(directory, sizeof directory);
    return fclose(file);
}
