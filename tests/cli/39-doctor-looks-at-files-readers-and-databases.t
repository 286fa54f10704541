#!/usr/bin/env bash
# Goal of this test: doctor tells who can touch each file, which readers are
# behind, what confines the process, whether the databases of jobs answer and
# which rights are missing; each broken case is seen.
. "$(dirname "$0")/lib.sh"
init
mkdir -m 700 -p "$XDG_CONFIG_HOME/envelope" reports
conf=$XDG_CONFIG_HOME/envelope/config.json
echo '{"reports": "'"$tmp"'/reports"}' >"$conf"
e key report --reader web-1 -q >/dev/null
exits "all is well" 0 e doctor
for line in 'keyring .*keyring.json: mode 0600' 'key file .*: mode 0600' \
    'audit log .*: mode 0600' 'configuration .*config.json: mode' 'state folder .*: mode 07' \
    'all 1 readers have generation 1' 'new privileges|no_new_privs' 'system calls are' \
    'profile|confined' 'ptrace|attached' 'no job was named'; do
    prints "$line" "\[ ok \]  .*($line)"
done
e key add --kid k2 -q >/dev/null
exits "a reader is behind" 0 e doctor
prints "is seen" '\[warn\]  0 of 1 readers have reported generation 2'
prints "says who" 'hint: .*key readers'
chmod 777 "$XDG_STATE_HOME/envelope"
exits "a state folder that others can write" 4 e doctor
prints "is seen" '\[fail\]  state folder'
chmod 700 "$XDG_STATE_HOME/envelope"
chmod 640 "$key"
exits "a key file that others can read" 4 e doctor
prints "is seen among the files" '\[fail\]  key file .* can be read by others'
chmod 600 "$key"
mkdir gone
echo '{"reports": "'"$tmp"'/none"}' >"$conf"
exits "a folder of reports that is not there" 4 e doctor
rm "$conf"
if command -v setpriv >/dev/null; then
    exits "without new privileges" 0 setpriv --no-new-privs "$envelope" doctor
    prints "is seen" 'no new privileges can be gained'
else
    skip "no_new_privs" "no setpriv"
fi

python3 -c '
import sqlite3
c = sqlite3.connect("db.sqlite")
c.execute("create table t(id integer primary key, s text)"); c.commit()'
job() { printf '{"envelope_job":1,"name":"j","source":%s,"targets":[{"table":"%s","key":["id"],"fields":[{"column":"s"}]}]}' "$1" "$2"; }
job '{"driver":"sqlite","path":"'"$tmp"'/db.sqlite"}' t >good.json
job '{"driver":"sqlite","path":"'"$tmp"'/none.sqlite"}' t >none.json
exits "a database that answers" 0 e doctor good.json
prints "is told" '\[ ok \]  good.json: sqlite answers \(SQLite 3'
exits "one that does not" 4 e doctor good.json none.json
prints "is told" '\[fail\]  none.json: .*exit 10'
prints "beside the other" '\[ ok \]  good.json'
echo '{' >bad.json
exits "a job that is none" 4 e doctor bad.json
is "nothing was written" 0 "$(python3 -c '
import sqlite3
print(sqlite3.connect("db.sqlite").execute("select count(*) from sqlite_master where name like ?", ("envelope%",)).fetchone()[0])')"

cluster=$repo/tests/support/pg_cluster.sh
if sh "$cluster" check >"$out" 2>&1; then
    mkdir pg
    on_exit() { sh "$cluster" stop "$tmp/pg" immediate >/dev/null 2>&1; }
    chmod 711 "$tmp"
    if sh "$cluster" start "$tmp/pg" >start.log 2>&1; then
        psql -q -h "$tmp/pg/s" -U postgres -c "create role sweeper login" \
            -c "create table public.t(id int primary key, s text)" postgres
        export DSN="host=$tmp/pg/s user=sweeper dbname=postgres"
        job '{"driver":"postgres","dsn_env":"DSN"}' public.t >pg.json
        exits "a role without rights" 4 e doctor pg.json
        prints "a right is missing" '\[fail\]  .*a right is missing'
        prints "the statement is named" 'hint: .*GRANT'
        e plan pg.json --ddl 2>/dev/null | psql -q -h "$tmp/pg/s" -U postgres postgres >/dev/null 2>&1
        psql -q -h "$tmp/pg/s" -U postgres -c "grant select, update on public.t to sweeper" postgres
        export DSN="host=$tmp/pg/s user=postgres dbname=postgres"
        exits "a role with all" 0 e doctor pg.json
        prints "answers" '\[ ok \]  pg.json: postgres answers'
        sh "$cluster" stop "$tmp/pg" fast >/dev/null 2>&1
        exits "a server that is stopped" 4 e doctor pg.json
        prints "is told" '\[fail\]  pg.json: .*exit 16'
    else
        fail "the cluster starts" "$(tail -3 start.log)"
    fi
else
    skip "PostgreSQL" "$(head -1 "$out")"
fi
finish
