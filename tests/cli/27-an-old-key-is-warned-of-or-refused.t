#!/usr/bin/env bash
# Goal of this test: sealing under a key past its date, or active for longer
# than the settings allow, is a warning, or exit 14 where the settings say so;
# opening never minds.
. "$(dirname "$0")/lib.sh"
init
printf v >v
e encrypt v >old.env
exits "a young key" 0 e encrypt v
says_not "no warning" warning
e key add --kid k2 --expires 2026-01-01T00:00:00Z --activate -q >/dev/null
exits "past its date" 0 e encrypt v
says "is a warning" 'warning: key k2 expired at 2026-01-01T00:00:00Z.*envelope rotate'
exits_in "seal, too" 0 e seal < <(echo '{"value":"v"}')
says "is a warning" 'warning: key k2 expired'
exits "--quiet" 0 e encrypt -q v
says_not "says nothing" warning
e encrypt v >new.env 2>/dev/null
exits "opening does not mind" 0 e decrypt new.env
says_not "no warning" warning
mkdir -m 700 -p "$XDG_CONFIG_HOME/envelope"
conf=$XDG_CONFIG_HOME/envelope/config.json
echo '{"key_age": "refuse"}' >"$conf"
exits "refused" 14 e encrypt v
says "says what to do" 'envelope rotate'
exits_in "seal, too" 14 e seal < <(echo '{"value":"v"}')
exits "opening does not mind" 0 e decrypt new.env
exits "another key" 14 e encrypt --kid k1 v
e key activate k1 -q >/dev/null
exits "a young key" 0 e encrypt v
if command -v faketime >/dev/null; then
    exits "91 days on" 14 faketime -f +91d "$envelope" encrypt v
    echo '{"key_age_days": 100}' >"$conf"
    exits "allowed for 100 days" 0 faketime -f +91d "$envelope" encrypt v
    says_not "no warning" warning
else
    skip "a key that grew old" "no faketime"
fi
for text in '{"key_age": "no"}' '{"key_age_days": 0}' '{"key_age_days": "x"}' '{"key_age_days": 36501}' '{"key_agee": 1}'; do
    echo "$text" >"$conf"
    exits "$text" 2 e encrypt v
done
finish
