-- What PostgreSQL on RDS has for S3, over the stand-in for it: objects go by HTTP, on which the placeholder PORT listens.
create schema aws_commons;
create type aws_commons._s3_uri_1 as (bucket text, file_path text, region text);
create function aws_commons.create_s3_uri(bucket text, file_path text, region text) returns aws_commons._s3_uri_1
    language sql as $$ select row(bucket, file_path, region)::aws_commons._s3_uri_1 $$;

create schema aws_s3;
-- So many rows get lost on the way.
create table aws_s3.losses (lost integer not null);

create function aws_s3.query_export_to_s3(
    query text, s3_info aws_commons._s3_uri_1, options text default '',
    out rows_uploaded bigint, out files_uploaded bigint, out bytes_uploaded bigint
) language plpgsql as $$
declare
    program text := format(
        'bash -c ''f=$(mktemp); cat > $f; exec 3<>/dev/tcp/127.0.0.1/PORT; '
        '{ printf "PUT /%s/%s HTTP/1.0\r\nContent-Length: $(stat -c %%s $f)\r\n\r\n"; cat $f; } >&3; cat <&3 >/dev/null; rm $f''',
        s3_info.bucket, s3_info.file_path
    );
begin
    execute format('copy (%s) to program %L with (%s)', query, program, options);
    get diagnostics rows_uploaded = row_count;
    files_uploaded := 1;
end
$$;

create function aws_s3.table_import_from_s3(table_name text, column_list text, options text, s3_info aws_commons._s3_uri_1)
returns text language plpgsql as $$
declare
    program text := format(
        'bash -c ''exec 3<>/dev/tcp/127.0.0.1/PORT; printf "GET /%s/%s HTTP/1.0\r\n\r\n" >&3; sed "1,/^\r$/d" <&3''',
        s3_info.bucket, s3_info.file_path
    );
    loaded bigint;
begin
    execute format('copy %s (%s) from program %L with %s', table_name, column_list, program, options);
    get diagnostics loaded = row_count;
    execute format(
        'delete from %1$s where ctid in (select ctid from %1$s limit (select coalesce(sum(lost), 0) from aws_s3.losses))', table_name
    );
    return format('%s rows imported into relation "%s" from file %s', loaded, table_name, s3_info.file_path);
end
$$;
