{# What a snapshot is made of: strategies that tell which rows have changed, and the statements that record it. #}

{# The macro of a strategy, of a package where one is named. #}
{% macro strategy_dispatch(name) %}
    {%- set parts = name.split('.') -%}
    {%- set place = context[parts[0]] if parts | length > 1 else context -%}
    {%- if not place -%}
        {%- do exceptions.raise_compiler_error("the strategy '" ~ name ~ "' is of a package that is not there") -%}
    {%- endif -%}
    {%- set found = place['snapshot_' ~ parts[-1] ~ '_strategy'] -%}
    {%- if not found -%}
        {%- do exceptions.raise_compiler_error("there is no macro 'snapshot_" ~ parts[-1] ~ "_strategy' for the strategy '" ~ name ~ "'") -%}
    {%- endif -%}
    {{ return(found) }}
{% endmacro %}

{% macro _strategy(key, updated_at, row_changed, scd_id) %}
    {%- set deleted = adapter.get_hard_deletes_behavior(config) -%}
    {{ return({'unique_key': key, 'updated_at': updated_at, 'row_changed': row_changed, 'scd_id': scd_id, 'hard_deletes': deleted,
               'invalidate_hard_deletes': deleted == 'invalidate'}) }}
{% endmacro %}

{% macro snapshot_timestamp_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}
    {%- set key, updated_at = config.get('unique_key'), config.get('updated_at') -%}
    {%- set since = snapshotted_rel ~ '.' ~ get_snapshot_table_column_names().dbt_valid_from -%}
    {{ return(_strategy(key, updated_at, '(' ~ since ~ ' < ' ~ current_rel ~ '.' ~ updated_at ~ ')', snapshot_hash_arguments(_key_columns(key) + [updated_at]))) }}
{% endmacro %}

{% macro snapshot_check_strategy(node, snapshotted_rel, current_rel, model_config, target_exists) %}
    {%- set key = config.get('unique_key') -%}
    {%- set added, columns = snapshot_check_all_get_existing_columns(node, target_exists, config.get('check_cols')) -%}
    {%- set unlike = ['true'] if added else [] -%}
    {%- for column in columns -%}
        {%- set held, given = snapshotted_rel ~ '.' ~ column, current_rel ~ '.' ~ column -%}
        {%- do unlike.append(held ~ ' is distinct from ' ~ given) -%}
    {%- endfor -%}
    {%- set now = config.get('updated_at') or snapshot_get_time() -%}
    {{ return(_strategy(key, now, '(' ~ (unlike | join(' or ') or 'false') ~ ')', snapshot_hash_arguments(_key_columns(key) + [now]))) }}
{% endmacro %}

{# Whether the query has columns that the table lacks, and the columns to compare, as they are written. #}
{% macro snapshot_check_all_get_existing_columns(node, target_exists, check_cols_config) %}
    {%- set wanted = get_columns_in_query(node['compiled_code'] or compiled_code or sql) if check_cols_config == 'all' else check_cols_config or [] -%}
    {%- if not target_exists -%}
        {{ return((false, _as_written(wanted, check_cols_config))) }}
    {%- endif -%}
    {%- set held = adapter.get_columns_in_relation(this) | map(attribute='name') | map('lower') | list -%}
    {%- set there = [] -%}
    {%- for column in wanted if column | lower in held -%}{%- do there.append(column) -%}{%- endfor -%}
    {{ return((there | length < wanted | length, _as_written(there, check_cols_config))) }}
{% endmacro %}
{% macro _as_written(columns, check_cols_config) %}
    {%- set names = [] -%}
    {%- for column in columns -%}{%- do names.append(adapter.quote(column) if check_cols_config == 'all' else column) -%}{%- endfor -%}
    {{ return(names) }}
{% endmacro %}

{# The end of a row that is still true. #}
{% macro get_dbt_valid_to_current(strategy, columns) -%}
    coalesce(nullif({{ strategy.updated_at }}, {{ strategy.updated_at }}), {{ config.get('dbt_valid_to_current') or 'null' }}) as {{ columns.dbt_valid_to }}
{%- endmacro %}

{% macro build_snapshot_table(strategy, sql) %}{{ return(adapter.dispatch('build_snapshot_table', 'dbt')(strategy, sql)) }}{% endmacro %}
{% macro default__build_snapshot_table(strategy, sql) -%}
    {%- set names = get_snapshot_table_column_names() -%}
    select first_rows.*, {{ strategy.scd_id }} as {{ names.dbt_scd_id }}, {{ strategy.updated_at }} as {{ names.dbt_updated_at }},
        {{ strategy.updated_at }} as {{ names.dbt_valid_from }}, {{ get_dbt_valid_to_current(strategy, names) }}
        {%- if strategy.hard_deletes == 'new_record' %}, 'False' as {{ names.dbt_is_deleted }}{% endif %}
    from (
        {{ sql }}
    ) as first_rows
{%- endmacro %}

{# Every change as a row: 'insert' is a new version, 'update' and 'delete' end one. #}
{% macro snapshot_staging_table(strategy, source_sql, target_relation) %}{{ return(adapter.dispatch('snapshot_staging_table', 'dbt')(strategy, source_sql, target_relation)) }}{% endmacro %}
{% macro default__snapshot_staging_table(strategy, source_sql, target_relation) -%}
    {%- set names, key = get_snapshot_table_column_names(), strategy.unique_key -%}
    {%- set records = strategy.hard_deletes == 'new_record' -%}
    {%- set current = config.get('dbt_valid_to_current') -%}
    {%- set matched = unique_key_join_on(key, 'snapshotted_data', 'source_data') -%}
    {%- set changed = strategy.row_changed ~ (" or snapshotted_data." ~ names.dbt_is_deleted ~ " = 'True'" if records else '') -%}
    with dated as (
        select given.*, {{ unique_key_fields(key) }}, {{ strategy.updated_at }} as {{ names.dbt_updated_at }}, {{ strategy.updated_at }} as {{ names.dbt_valid_from }}
        from (
            {{ source_sql }}
        ) as given
    ),
    versions as (
        select given.*, {{ unique_key_fields(key) }}, {{ strategy.updated_at }} as {{ names.dbt_updated_at }}, {{ strategy.updated_at }} as {{ names.dbt_valid_from }},
            {{ get_dbt_valid_to_current(strategy, names) }}, {{ strategy.scd_id }} as {{ names.dbt_scd_id }}
        from (
            {{ source_sql }}
        ) as given
    ),
    held as (
        select target.*, {{ unique_key_fields(key) }}
        from {{ target_relation }} as target
        where {{ names.dbt_valid_to }} is null{% if current %} or {{ names.dbt_valid_to }} = {{ current }}{% endif %}
    )
    select 'insert' as dbt_change_type, source_data.*{% if records %}, 'False' as {{ names.dbt_is_deleted }}{% endif %}
    from versions as source_data
    left join held as snapshotted_data on {{ matched }}
    where {{ unique_key_is_null(key, 'snapshotted_data') }} or ({{ changed }})
    union all
    select 'update', source_data.*, source_data.{{ names.dbt_valid_from }}, snapshotted_data.{{ names.dbt_scd_id }}
        {%- if records %}, snapshotted_data.{{ names.dbt_is_deleted }}{% endif %}
    from dated as source_data
    join held as snapshotted_data on {{ matched }}
    where {{ changed }}
    {%- if strategy.hard_deletes in ['invalidate', 'new_record'] %}
    {%- set gone -%}
    from held as snapshotted_data
    left join dated as source_data on {{ matched }}
    where {{ unique_key_is_null(key, 'source_data') }}{% if records %} and snapshotted_data.{{ names.dbt_is_deleted }} <> 'True'{% endif %}
    {%- endset %}
    union all
    select 'delete', source_data.*, {{ snapshot_get_time() }}, snapshotted_data.{{ names.dbt_scd_id }}
        {%- if records %}, snapshotted_data.{{ names.dbt_is_deleted }}{% endif %}
    {{ gone }}
    {%- if records %}
    union all
    select 'insert',
        {%- for column in get_columns_in_query(source_sql) %} snapshotted_data.{{ adapter.quote(column) }},{% endfor %}
        {{ _unique_key_parts(key, 'snapshotted_data.@', ', ') }}, {{ snapshot_get_time() }}, {{ snapshot_get_time() }}, snapshotted_data.{{ names.dbt_valid_to }},
        {{ snapshot_hash_arguments(['snapshotted_data.' ~ names.dbt_scd_id, snapshot_get_time()]) }}, 'True'
    {{ gone }}
    {%- endif %}
    {%- endif %}
{%- endmacro %}

{% macro build_snapshot_staging_table(strategy, sql, target_relation) %}
    {%- set staging = make_temp_relation(target_relation) -%}
    {%- do run_query(create_table_as(true, staging, snapshot_staging_table(strategy, sql, target_relation))) -%}
    {{ return(staging) }}
{% endmacro %}

{# Ends what has changed or is gone, and adds the new versions. #}
{% macro snapshot_merge_sql(target, source, insert_cols) %}{{ return(adapter.dispatch('snapshot_merge_sql', 'dbt')(target, source, insert_cols)) }}{% endmacro %}
{% macro default__snapshot_merge_sql(target, source, insert_cols) -%}
    {%- set names, list = get_snapshot_table_column_names(), insert_cols | join(', ') -%}
    {%- set current = config.get('dbt_valid_to_current') -%}
    update {{ target }} as ended
    set {{ names.dbt_valid_to }} = changes.{{ names.dbt_valid_to }}
    from {{ source }} as changes
    where cast(changes.{{ names.dbt_scd_id }} as {{ dbt.type_string() }}) = cast(ended.{{ names.dbt_scd_id }} as {{ dbt.type_string() }})
        and changes.dbt_change_type in ('update', 'delete')
        and (ended.{{ names.dbt_valid_to }} is null{% if current %} or ended.{{ names.dbt_valid_to }} = {{ current }}{% endif %});

    insert into {{ target }} ({{ list }})
    select {{ list }}
    from {{ source }}
    where dbt_change_type = 'insert'
{%- endmacro %}

{# The type of the time of a change, in the database's words; none where the query has no such column. #}
{% macro get_updated_at_column_data_type(snapshot_sql) %}
    {%- for column in get_column_schema_from_query(snapshot_sql) if column.name | lower == 'dbt_updated_at' -%}
        {{ return(column.dtype) }}
    {%- endfor -%}
    {{ return(none) }}
{% endmacro %}
{% macro get_snapshot_get_time_data_type() %}
    {{ return(get_column_schema_from_query('select ' ~ snapshot_get_time() ~ ' as taken')[0].dtype) }}
{% endmacro %}
{% macro check_time_data_types(sql) %}
    {%- set of_rows, of_clock = get_updated_at_column_data_type(sql), get_snapshot_get_time_data_type() -%}
    {%- if of_rows and of_rows != of_clock -%}
        {%- do exceptions.warn("the time of a row is '" ~ of_rows ~ "', and that of the snapshot '" ~ of_clock ~ "'") -%}
    {%- endif -%}
{% endmacro %}
