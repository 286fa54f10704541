#!/usr/bin/env bash
# Goal of this test: a password in an argument is refused with the remedy and
# not repeated; what only looks like one is not refused.
. "$(dirname "$0")/lib.sh"
init
printf v | e encrypt >v.env
for arg in postgres://u:s3cret@db/x postgresql://u:s3cret@db/x?sslmode=require \
    mongodb://u:s3cret@h1,h2/x "host=db user=u password=s3cret" \
    "postgres://db/x?user=u&password=s3cret" mongodb+srv://u:s3cret@h/x; do
    for verb in plan migrate status verify decrypt; do
        exits "$verb ${arg%%s3cret*}" 2 e $verb "$arg"
        says "the remedy" 'dsn_file|dsn_env'
        says_not "not repeated" s3cret
    done
done
for option in --passphrase=s3cret --password=s3cret --pin=s3cret --secret=s3cret --token=s3cret; do
    exits "$option" 2 e key list "$option"
    says "the remedy" 'never come from the command line'
    says_not "not repeated" s3cret
    exits "init $option" 2 e init "$option"
    says_not "not repeated" s3cret
done
exits "an operand is not repeated" 2 e encrypt a s3cret
says_not "not repeated" s3cret
exits "a URL without a password" 10 e plan postgres://u@db/x
exits "a port is no password" 10 e plan postgres://db:5432/x
exits "a context named so" 12 e decrypt --context field=users.password v.env
exits "a context with a URL" 12 e decrypt --context url=https://h/x?a=b@c v.env
finish
