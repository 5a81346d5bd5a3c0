-- Where money moves. Everything that changes a balance goes through post_journals or, for a journal that comes alone, through
-- post_journal, which answers the same for fewer steps: they alone may write these tables.
-- Run by the migrations; replacing a function here takes a new revision that runs this file again.
-- Plans are generic and use indexes: planning for each batch anew costs as much as running it, and a plan that was made
-- while a table was empty would stay.

-- Makes the accounts that are not there yet, in the order in which they are named.
create or replace function open_accounts(accounts text[]) returns void language plpgsql
as $$
begin
    insert into account (id, owner_id, kind, currency)
    select a, split_part(a, ':', 1), split_part(a, ':', 2), split_part(a, ':', 3)
    from unnest(accounts) as a
    where not exists (select from account where id = a)
    on conflict do nothing;
end
$$;

-- Posts one journal; the answer is what post_journals says of it. Its key is looked up only when it cannot be posted.
create or replace function post_journal(
    id text, key text, fingerprint text, kind text, subject text, accounts text[], amounts bigint[], at timestamptz,
    out outcome text, out journal_id text, out account_id text, out missing bigint
)
language plpgsql
security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
    held record;
    place int;
    locked int := 0;
    lacking int;               -- the first leg that lacks
    numbers bigint[] := amounts;
    balances bigint[] := amounts;
begin
    if (select count(*) from account where id = any (accounts)) < cardinality(accounts) then
        perform open_accounts(array(select a collate "C" from unnest(accounts) as a order by 1));
    end if;

    for held in select a.* from account as a where a.id = any (accounts) order by a.id for update loop
        locked := locked + 1;
        place := array_position(accounts, held.id);
        numbers[place] := held.postings + 1;
        balances[place] := held.balance + amounts[place];
        if balances[place] < 0 and amounts[place] < 0 and place < coalesce(lacking, place + 1)
            and held.kind not in ('card_fees', 'clearing_bank', 'clearing_card', 'receivable')
        then
            lacking := place;
        end if;
    end loop;
    if locked <> cardinality(accounts) then
        raise exception '% of the accounts % were locked', locked, accounts;
    end if;

    if lacking is null then
        insert into journal (id, key, fingerprint, kind, subject, created_at)
        values (post_journal.id, post_journal.key, post_journal.fingerprint, post_journal.kind, post_journal.subject, at)
        on conflict (key) do nothing;
        if found then
            insert into posting (journal_id, account_id, number, amount, currency, balance)
            select post_journal.id, u.account, u.number, u.amount, split_part(u.account, ':', 3), u.balance
            from unnest(accounts, numbers, amounts, balances) as u (account, number, amount, balance);

            update account set balance = u.balance, postings = u.number
            from unnest(accounts, numbers, balances) as u (id, number, balance)
            where account.id = u.id;

            outcome := 'posted';
            journal_id := post_journal.id;
            return;
        end if;
    end if;

    select j.id, case when j.fingerprint = post_journal.fingerprint then 'replayed' else 'reused' end
    into journal_id, outcome
    from journal as j where j.key = post_journal.key;
    if not found then
        outcome := 'lacking';
        account_id := accounts[lacking];
        missing := -balances[lacking];
    end if;
end
$$;

-- Posts a batch of journals in their order and answers each by itself: a refused one loses no other.
--
-- Journal n is ids[n], keys[n], … and the next leg_counts[n] legs; an account id is owner:kind:currency and appears at
-- most once in a journal. Accounts appear when they are first named and are locked in the order of their ids. outcome is
--   posted     its postings are written;
--   replayed   the key was posted before with the same fingerprint: journal_id is the first one's;
--   reused     the key was posted before with another fingerprint;
--   lacking    account_id, the first in the order of the legs, would have gone below zero by missing.
create or replace function post_journals(
    ids text[], keys text[], fingerprints text[], kinds text[], subjects text[], leg_counts int[],
    leg_accounts text[], leg_amounts bigint[], at timestamptz
)
returns table (n int, outcome text, journal_id text, account_id text, missing bigint)
language plpgsql
security definer
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
#variable_conflict use_column
declare
    accounts text[] := array(select distinct a collate "C" from unnest(leg_accounts) as a order by 1);
    locked text[];             -- the same accounts in the same order: account.id has the same collation
    balances bigint[];
    numbers bigint[];
    floored boolean[];
    places int[];              -- of each leg: where its account is in accounts
    known_ids text[];          -- of each journal: the one that its key posted before, if any
    known_fingerprints text[];
    firsts int[];              -- of each journal: the first of the batch with its key
    outcomes text[] := array_fill(null::text, array[cardinality(ids)]);
    answers text[] := array_fill(null::text, array[cardinality(ids)]);
    lacking int[] := array_fill(null::int, array[cardinality(ids)]);
    shortages bigint[] := array_fill(null::bigint, array[cardinality(ids)]);
    leg_journals int[] := array_fill(null::int, array[cardinality(leg_amounts)]);
    leg_numbers bigint[] := array_fill(null::bigint, array[cardinality(leg_amounts)]);
    leg_balances bigint[] := array_fill(null::bigint, array[cardinality(leg_amounts)]);
    first_leg int := 1;
    last_leg int;
    place int;
    accepted int := 0;
    written int;
begin
    perform open_accounts(accounts);

    select array_agg(id), array_agg(balance), array_agg(postings),
        array_agg(kind not in ('card_fees', 'clearing_bank', 'clearing_card', 'receivable'))
    into locked, balances, numbers, floored
    from (select id, balance, postings, kind from account where id = any (accounts) order by id for update) as found;
    if locked is distinct from accounts then
        raise exception 'accounts % were locked as %', accounts, locked;
    end if;

    select array_agg(place order by leg) into places
    from unnest(leg_accounts) with ordinality as l (account, leg)
    join unnest(accounts) with ordinality as p (account, place) using (account);

    select array_agg(j.id order by asked.n), array_agg(j.fingerprint order by asked.n),
        array_agg(asked.first order by asked.n)
    into known_ids, known_fingerprints, firsts
    from (
        select k, u.n, min(u.n) over (partition by k) as first from unnest(keys) with ordinality as u (k, n)
    ) as asked
    left join journal as j on j.key = asked.k;

    for i in 1 .. cardinality(ids) loop
        last_leg := first_leg + leg_counts[i] - 1;
        if known_ids[firsts[i]] is not null then
            answers[i] := known_ids[firsts[i]];
            outcomes[i] := case when known_fingerprints[firsts[i]] = fingerprints[i] then 'replayed' else 'reused' end;
        else
            for leg in first_leg .. last_leg loop
                place := places[leg];
                balances[place] := balances[place] + leg_amounts[leg];
                if balances[place] < 0 and floored[place] and leg_amounts[leg] < 0 and lacking[i] is null then
                    lacking[i] := leg;
                    shortages[i] := -balances[place];
                end if;
            end loop;
            if lacking[i] is null then
                outcomes[i] := 'posted';
                answers[i] := ids[i];
                known_ids[firsts[i]] := ids[i];
                known_fingerprints[firsts[i]] := fingerprints[i];
                accepted := accepted + 1;
                for leg in first_leg .. last_leg loop
                    place := places[leg];
                    numbers[place] := numbers[place] + 1;
                    leg_journals[leg] := i;
                    leg_numbers[leg] := numbers[place];
                    leg_balances[leg] := balances[place];
                end loop;
            else
                outcomes[i] := 'lacking';
                for leg in first_leg .. last_leg loop
                    balances[places[leg]] := balances[places[leg]] - leg_amounts[leg];
                end loop;
            end if;
        end if;
        first_leg := last_leg + 1;
    end loop;

    insert into journal (id, key, fingerprint, kind, subject, created_at)
    select u.id, u.key, u.fingerprint, u.kind, u.subject, at
    from unnest(ids, keys, fingerprints, kinds, subjects, outcomes) as u (id, key, fingerprint, kind, subject, outcome)
    where u.outcome = 'posted'
    on conflict (key) do nothing;
    get diagnostics written = row_count;
    if written < accepted then
        -- The key was posted at this very moment by somebody whose legs name other accounts: the whole command runs again.
        raise exception 'a journal key was posted meanwhile' using errcode = 'serialization_failure';
    end if;

    insert into posting (journal_id, account_id, number, amount, currency, balance)
    select ids[u.journal], u.account, u.number, u.amount, split_part(u.account, ':', 3), u.balance
    from unnest(leg_journals, leg_accounts, leg_numbers, leg_amounts, leg_balances)
        as u (journal, account, number, amount, balance)
    where u.journal is not null;

    update account set balance = u.balance, postings = u.number
    from unnest(accounts, balances, numbers) as u (id, balance, number)
    where account.id = u.id and account.postings <> u.number;

    return query
    select u.n::int, u.outcome, u.answer, leg_accounts[u.lacking], u.shortage
    from unnest(outcomes, answers, lacking, shortages) with ordinality as u (outcome, answer, lacking, shortage, n);
end
$$;

-- The postings of a journal sum to zero in each currency: checked when the transaction commits.
create or replace function check_journal_balances() returns trigger language plpgsql
set search_path = public, pg_temp
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
as $$
begin
    if exists (select from posting where journal_id = new.journal_id group by currency having sum(amount) <> 0) then
        raise exception 'postings of journal % do not sum to zero', new.journal_id using errcode = 'check_violation';
    end if;
    return null;
end
$$;

-- What is written stays as it was written.
create or replace function refuse_change() returns trigger language plpgsql
as $$
begin
    if tg_op = 'UPDATE' and new is not distinct from old then
        return new;
    end if;
    raise exception '% is append-only', tg_table_name using errcode = 'restrict_violation';
end
$$;
