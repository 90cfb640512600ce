%% Keys of Erlang's public_key and crypto: escript erlang_keys.erl FOLDER live|freed KIND...
main([Folder, State | Kinds]) ->
    {Pid, Monitor} = spawn_monitor(fun() ->
        Held = [load(Folder, Kind) || Kind <- Kinds],
        case State of
            "freed" -> ok;
            _ -> say(), receive never -> io:format("~p", [Held]) end
        end
    end),
    receive {'DOWN', Monitor, process, Pid, _} -> erlang:garbage_collect(), say(), timer:sleep(3600000) end.

say() -> io:format("ready~n").

load(Folder, Kind) ->
    {ok, Pem} = file:read_file(Folder ++ "/" ++ Kind ++ ".key"),
    [Entry | _] = public_key:pem_decode(Pem),
    Key = public_key:pem_entry_decode(Entry),
    try public_key:sign(<<"lab">>, case Kind of "ed" ++ _ -> none; _ -> sha256 end, Key)
    catch Class:Reason -> io:format(standard_error, "failed: ~s ~p ~p~n", [Kind, Class, Reason]) end,
    Key.
