% Keys as integers of SWI-Prolog: swipl prolog_keys.pl FOLDER live|freed KIND...
:- initialization(main, main).
:- dynamic held/2.

number_in(Path, Value) :-
    read_file_to_codes(Path, Codes, [type(binary)]),
    foldl([Byte, Before, After]>>(After is (Before << 8) \/ Byte), Codes, 0, Value).

load(Folder, Kind) :-
    ( sub_atom(Kind, 0, _, _, rsa) -> Names = [n, d, p, q] ; Names = [d, x, y] ),
    forall(member(Name, Names),
           ( format(atom(Path), "~w/~w.~w.num", [Folder, Kind, Name]),
             number_in(Path, Value), assertz(held(Kind-Name, Value)) )),
    ( sub_atom(Kind, 0, _, _, rsa)
    -> held(Kind-d, D), held(Kind-n, N), S is powm(12345, D, N), assertz(held(s, S))
    ; true ).

main([Folder, State|Kinds]) :-
    forall(member(Kind, Kinds), load(Folder, Kind)),
    ( State == freed -> retractall(held(_, _)), garbage_collect, garbage_collect_clauses ; true ),
    writeln(ready), flush_output, sleep(3600).
