%% Asks peerage before ejabberd routes what its users send: messages, calls, invitations, requests to subscribe, new
%% entries of rosters, and messages in rooms. Each question has its own timeout; only the session of the sender waits for
%% the answer, and for senders of hosts without this module the room.
-module(mod_peerage).

-behaviour(gen_mod).

-export([start/2, stop/1, reload/3, depends/2, mod_opt_type/1, mod_options/1, mod_doc/0]).
-export([user_send_packet/1, muc_filter_message/3]).

-include_lib("xmpp/include/xmpp.hrl").

-define(ANSWERS, mod_peerage_answers).
-define(MAX_ANSWERS, 100000).
-define(JINGLE, <<"urn:xmpp:jingle:1">>).
-define(JINGLE_MESSAGE, <<"urn:xmpp:jingle-message:0">>).

%% === Life of the module ===

start(Host, Opts) ->
    {ok, _} = application:ensure_all_started(inets),
    open_answers(),
    open_profile(Host, Opts),
    ejabberd_hooks:add(user_send_packet, Host, ?MODULE, user_send_packet, 10),
    ejabberd_hooks:add(muc_filter_message, Host, ?MODULE, muc_filter_message, 10),
    ok.

stop(Host) ->
    ejabberd_hooks:delete(user_send_packet, Host, ?MODULE, user_send_packet, 10),
    ejabberd_hooks:delete(muc_filter_message, Host, ?MODULE, muc_filter_message, 10),
    _ = inets:stop(httpc, profile(Host)),
    ok.

reload(Host, NewOpts, _OldOpts) ->
    _ = inets:stop(httpc, profile(Host)),
    open_profile(Host, NewOpts),
    ok.

depends(_Host, _Opts) -> [].

mod_opt_type(url) -> econf:url();
mod_opt_type(socket) -> econf:binary();
mod_opt_type(token) -> econf:binary();
mod_opt_type(timeout) -> econf:timeout(millisecond);
mod_opt_type(on_failure) -> econf:enum([deny, allow, last]);
mod_opt_type(last_answer_for) -> econf:timeout(second);
mod_opt_type(ids) -> econf:enum([jid, node]);
mod_opt_type(texts) -> econf:map(econf:binary(), econf:binary()).

mod_options(_Host) ->
    [{url, <<"http://127.0.0.1:7411">>},
     {socket, <<>>},
     {token, <<>>},
     {timeout, 250},
     {on_failure, deny},
     {last_answer_for, 60000},
     {ids, jid},
     {texts, []}].

mod_doc() ->
    #{desc => <<"Asks peerage, a decision daemon, who may talk to whom.">>}.

%% The table belongs to a process that does nothing else, as the one that starts a module may end.
open_answers() ->
    case ets:whereis(?ANSWERS) of
        undefined ->
            Starter = self(),
            Holder = spawn(fun() -> hold_answers(Starter) end),
            receive {Holder, ready} -> ok end;
        _ -> ok
    end.

hold_answers(Starter) ->
    _ = ets:new(?ANSWERS, [named_table, public, {read_concurrency, true}]),
    Starter ! {self(), ready},
    receive stop -> ok end.

%% Connections are kept and used again. A question never waits behind another one on the same connection, which could
%% use up its time.
open_profile(Host, Opts) ->
    Profile = profile(Host),
    case inets:start(httpc, [{profile, Profile}]) of
        {ok, _} -> ok;
        {error, {already_started, _}} -> ok
    end,
    Family = case gen_mod:get_opt(socket, Opts) of
                 <<>> -> [];
                 Path -> [{ipfamily, local}, {unix_socket, binary_to_list(Path)}]
             end,
    ok = httpc:set_options([{max_sessions, 64}, {max_keep_alive_length, 1}, {keep_alive_timeout, 60000} | Family],
                           Profile).

profile(Host) ->
    binary_to_atom(<<"mod_peerage@", Host/binary>>, utf8).

%% === Hooks ===

user_send_packet({#message{} = Packet, State}) ->
    hold(Packet, State, message_questions(Packet));
user_send_packet({#presence{type = subscribe, from = From, to = To} = Packet, State}) ->
    hold(Packet, State, [to_user(From, <<"friend_request">>, To)]);
user_send_packet({#iq{type = set} = Packet, State}) ->
    hold(Packet, State, iq_questions(Packet));
user_send_packet(Acc) ->
    Acc.

%% Messages of local users were held before they reached the room.
muc_filter_message(#message{from = From, to = Room} = Packet, _State, _Nick) ->
    case gen_mod:is_loaded(From#jid.lserver, ?MODULE) of
        true -> Packet;
        false ->
            Host = ejabberd_router:host_of_route(Room#jid.lserver),
            case ask_all(Host, group_questions(Packet)) of
                allow -> Packet;
                Denial ->
                    refuse(Host, Packet, Denial),
                    drop
            end
    end;
muc_filter_message(Acc, _State, _Nick) ->
    Acc.

hold(Packet, State, Questions) ->
    Host = (xmpp:get_from(Packet))#jid.lserver,
    case ask_all(Host, Questions) of
        allow -> {Packet, State};
        Denial ->
            refuse(Host, Packet, Denial),
            {stop, {drop, State}}
    end.

refuse(Host, Packet, {deny, Reason}) ->
    Texts = gen_mod:get_module_opt(Host, ?MODULE, texts),
    Text = proplists:get_value(Reason, Texts, <<"Not allowed: ", Reason/binary>>),
    ejabberd_router:route_error(Packet, xmpp:err_forbidden(Text, <<"en">>));
refuse(_Host, Packet, undecided) ->
    ejabberd_router:route_error(Packet, xmpp:err_resource_constraint(<<"This can't be decided now">>, <<"en">>)).

%% === What is asked ===

message_questions(#message{type = error}) -> [];
message_questions(#message{to = undefined}) -> [];
message_questions(#message{type = groupchat} = Packet) -> group_questions(Packet);
message_questions(#message{from = From, to = To} = Packet) ->
    invitations(Packet) ++
        case is_local_room(To) of
            true -> [];
            false ->
                %% A call that is proposed may come with a text.
                [to_user(From, Action, To) || Action <- [proposal(Packet)], is_binary(Action)] ++
                    [to_user(From, <<"send_message">>, To)
                     || has_content(Packet) orelse Packet#message.subject =/= []]
        end.

%% Invitations: directly by XEP-0249, or through the room.
invitations(#message{from = From, to = To} = Packet) ->
    Direct = case xmpp:get_subtag(Packet, #x_conference{}) of
                 #x_conference{jid = #jid{} = Room} -> [to_member(From, Room, To)];
                 _ -> []
             end,
    Mediated = case xmpp:get_subtag(Packet, #muc_user{}) of
                   #muc_user{invites = Invites} ->
                       [to_member(From, To, Invitee) || #muc_invite{to = #jid{} = Invitee} <- Invites];
                   _ -> []
               end,
    Direct ++ Mediated.

%% A message with a subject and no body changes the subject of the room.
group_questions(#message{from = From, to = To, subject = Subject} = Packet) ->
    case {has_content(Packet), Subject} of
        {true, _} -> [to_group(From, <<"send_message">>, To, [])];
        {false, [_ | _]} -> [to_group(From, <<"update_metadata">>, To, [{<<"field">>, <<"subject">>}])];
        {false, []} -> []
    end.

iq_questions(#iq{from = From, to = To} = Packet) ->
    lists:append([iq_question(From, To, El) || El <- elements(Packet)]).

iq_question(From, _To, #xmlel{name = <<"query">>} = El) ->
    try xmpp:decode(El) of
        #roster_query{items = Items} ->
            [to_user(From, <<"friend_request">>, Jid)
             || #roster_item{jid = Jid, subscription = Subscription} <- Items,
                Subscription =/= remove, not is_contact(From, Jid)];
        _ -> []
    catch
        error:{xmpp_codec, _} -> []
    end;
iq_question(From, #jid{} = To, #xmlel{name = <<"jingle">>} = El) ->
    case {fxml:get_tag_attr_s(<<"xmlns">>, El), fxml:get_tag_attr_s(<<"action">>, El)} of
        {?JINGLE, <<"session-initiate">>} ->
            Contents = fxml:get_subtags(El, <<"content">>),
            [to_user(From, session_action(lists:flatmap(fun descriptions/1, Contents)), To)];
        _ -> []
    end;
iq_question(_From, _To, _El) ->
    [].

%% A call that is proposed by XEP-0353.
proposal(Packet) ->
    Proposals = [El || #xmlel{name = <<"propose">>} = El <- elements(Packet),
                       fxml:get_tag_attr_s(<<"xmlns">>, El) =:= ?JINGLE_MESSAGE],
    case Proposals of
        [] -> none;
        _ -> session_action(lists:flatmap(fun descriptions/1, Proposals))
    end.

descriptions(El) ->
    [fxml:get_tag_attr_s(<<"media">>, It) || It <- fxml:get_subtags(El, <<"description">>)].

%% A session that carries neither sound nor picture is a transfer.
session_action(Media) ->
    case {lists:member(<<"video">>, Media), lists:member(<<"audio">>, Media)} of
        {true, _} -> <<"video_call">>;
        {false, true} -> <<"voice_call">>;
        {false, false} -> <<"send_message">>
    end.

%% All but receipts, markers, chat states, hints to servers, and the steps of a call: also what is not known here.
has_content(#message{body = Body} = Packet) ->
    Body =/= [] orelse lists:any(fun is_said/1, elements(Packet)).

is_said(El) ->
    not lists:member(fxml:get_tag_attr_s(<<"xmlns">>, El),
                     [<<"http://jabber.org/protocol/chatstates">>, <<"urn:xmpp:receipts">>,
                      <<"urn:xmpp:chat-markers:0">>, <<"urn:xmpp:hints">>, <<"urn:xmpp:sid:0">>,
                      <<"urn:xmpp:carbons:2">>, ?JINGLE_MESSAGE]).

%% What is inside a stanza, whether it was decoded already or not.
elements(Packet) -> [xmpp:encode(El) || El <- xmpp:get_els(Packet)].

is_contact(#jid{luser = User, lserver = Server}, Jid) ->
    Info = ejabberd_hooks:run_fold(roster_get_jid_info, Server, {none, none, []}, [User, Server, Jid]),
    element(1, Info) =/= none.

is_local_room(#jid{lserver = Server}) ->
    lists:any(fun(Host) ->
                      gen_mod:is_loaded(Host, mod_muc) andalso
                          lists:member(Server, gen_mod:get_module_opt_hosts(Host, mod_muc))
              end, ejabberd_option:hosts()).

to_user(From, Action, To) ->
    {From, Action, To, []}.

to_group(From, Action, Room, More) ->
    {From, Action, Room, [{<<"resource_type">>, <<"group">>} | More]}.

to_member(From, Room, Member) ->
    to_group(From, <<"add_member">>, Room, [{<<"member">>, Member}]).

%% === Asking ===

%% Allows if all questions are allowed; the first denial otherwise.
ask_all(_Host, []) -> allow;
ask_all(Host, [Question | Rest]) ->
    case ask(Host, Question) of
        allow -> ask_all(Host, Rest);
        Denial -> Denial
    end.

%% What a user sends to themselves or to their server is nobody else's business.
ask(_Host, {#jid{luser = User, lserver = Server}, _, #jid{luser = User, lserver = Server}, []}) -> allow;
ask(_Host, {_, _, #jid{luser = <<>>}, []}) -> allow;
ask(Host, {From, Action, To, More}) ->
    Query = [{<<"subject">>, id(Host, From)}, {<<"action">>, Action}, {<<"resource">>, id(Host, To)}
             | [{Name, value(Host, Value)} || {Name, Value} <- More]],
    Path = iolist_to_binary(["/v1/decide?", uri_string:compose_query(Query)]),
    case request(Host, Path) of
        {ok, Answer} ->
            report(Host, answers, ok),
            remember(Host, Path, Answer),
            Answer;
        {error, Why} ->
            report(Host, fails, Why),
            without_answer(Host, Path, gen_mod:get_module_opt(Host, ?MODULE, on_failure))
    end.

id(Host, Jid) ->
    case gen_mod:get_module_opt(Host, ?MODULE, ids) of
        node when Jid#jid.luser =/= <<>> -> Jid#jid.luser;
        _ -> jid:encode(jid:tolower(jid:remove_resource(Jid)))
    end.

value(Host, #jid{} = Jid) -> id(Host, Jid);
value(_Host, Value) -> Value.

request(Host, Path) ->
    Timeout = gen_mod:get_module_opt(Host, ?MODULE, timeout),
    Base = string:trim(gen_mod:get_module_opt(Host, ?MODULE, url), trailing, "/"),
    Headers = case gen_mod:get_module_opt(Host, ?MODULE, token) of
                  <<>> -> [];
                  Token -> [{"authorization", "Bearer " ++ binary_to_list(Token)}]
              end,
    Options = [{timeout, Timeout}, {connect_timeout, Timeout}, {autoredirect, false}],
    try httpc:request(get, {<<Base/binary, Path/binary>>, Headers}, Options, [{body_format, binary}], profile(Host)) of
        {ok, {{_, 200, _}, _, Body}} -> answer(Body);
        {ok, {{_, Status, _}, _, _}} -> {error, {status, Status}};
        {error, Why} -> {error, Why}
    catch
        _:Why -> {error, Why}
    end.

answer(Body) ->
    try jiffy:decode(Body, [return_maps]) of
        #{<<"decision">> := true} -> {ok, allow};
        #{<<"decision">> := false, <<"reason">> := Reason} when is_binary(Reason) -> {ok, {deny, Reason}};
        _ -> {error, no_answer}
    catch
        _:_ -> {error, no_answer}
    end.

%% === Without an answer ===

without_answer(_Host, _Path, allow) -> allow;
without_answer(_Host, _Path, deny) -> undecided;
without_answer(Host, Path, last) ->
    Oldest = now_ms() - gen_mod:get_module_opt(Host, ?MODULE, last_answer_for),
    case ets:lookup(?ANSWERS, {Host, Path}) of
        [{_, Answer, Time}] when Time >= Oldest -> Answer;
        _ -> undecided
    end.

remember(Host, Path, Answer) ->
    case gen_mod:get_module_opt(Host, ?MODULE, on_failure) of
        last ->
            case ets:info(?ANSWERS, size) of
                Size when is_integer(Size), Size >= ?MAX_ANSWERS -> ets:delete_all_objects(?ANSWERS);
                _ -> true
            end,
            ets:insert(?ANSWERS, {{Host, Path}, Answer, now_ms()});
        _ -> true
    end.

now_ms() -> erlang:monotonic_time(millisecond).

%% Logs when the daemon begins to fail and when it answers again, not each time.
report(Host, State, Why) ->
    Key = {state, Host},
    case ets:lookup(?ANSWERS, Key) of
        [{_, State, _}] -> ok;
        [] when State =:= answers -> ok;
        _ ->
            ets:insert(?ANSWERS, {Key, State, now_ms()}),
            log(Host, State, Why)
    end.

log(Host, fails, Why) ->
    logger:warning("mod_peerage of ~ts: peerage can't be asked: ~tp", [Host, Why]);
log(Host, answers, _) ->
    logger:notice("mod_peerage of ~ts: peerage answers again", [Host]).
