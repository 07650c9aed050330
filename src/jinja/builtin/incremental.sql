{# Statements that bring new rows into a table which is there. #}

{% macro get_incremental_append_sql(arg_dict) %}{{ return(adapter.dispatch('get_incremental_append_sql', 'dbt')(arg_dict)) }}{% endmacro %}
{% macro default__get_incremental_append_sql(arg_dict) %}
    {{ return(get_insert_into_sql(arg_dict.target_relation, arg_dict.temp_relation, arg_dict.dest_columns)) }}
{% endmacro %}

{% macro get_incremental_delete_insert_sql(arg_dict) %}{{ return(adapter.dispatch('get_incremental_delete_insert_sql', 'dbt')(arg_dict)) }}{% endmacro %}
{% macro default__get_incremental_delete_insert_sql(arg_dict) %}
    {{ return(get_delete_insert_merge_sql(arg_dict.target_relation, arg_dict.temp_relation, arg_dict.unique_key, arg_dict.dest_columns, arg_dict.incremental_predicates)) }}
{% endmacro %}

{% macro get_incremental_merge_sql(arg_dict) %}{{ return(adapter.dispatch('get_incremental_merge_sql', 'dbt')(arg_dict)) }}{% endmacro %}
{% macro default__get_incremental_merge_sql(arg_dict) %}
    {{ return(get_merge_sql(arg_dict.target_relation, arg_dict.temp_relation, arg_dict.unique_key, arg_dict.dest_columns, arg_dict.incremental_predicates)) }}
{% endmacro %}

{% macro get_incremental_insert_overwrite_sql(arg_dict) %}{{ return(adapter.dispatch('get_incremental_insert_overwrite_sql', 'dbt')(arg_dict)) }}{% endmacro %}
{% macro default__get_incremental_insert_overwrite_sql(arg_dict) %}
    {{ return(get_insert_overwrite_merge_sql(arg_dict.target_relation, arg_dict.temp_relation, arg_dict.dest_columns, arg_dict.incremental_predicates)) }}
{% endmacro %}

{% macro get_incremental_microbatch_sql(arg_dict) %}{{ return(adapter.dispatch('get_incremental_microbatch_sql', 'dbt')(arg_dict)) }}{% endmacro %}
{% macro default__get_incremental_microbatch_sql(arg_dict) %}
    {{ exceptions.raise_compiler_error("the strategy 'microbatch' needs a macro get_incremental_microbatch_sql of the project") }}
{% endmacro %}

{% macro get_incremental_default_sql(arg_dict) %}{{ return(adapter.dispatch('get_incremental_default_sql', 'dbt')(arg_dict)) }}{% endmacro %}
{% macro default__get_incremental_default_sql(arg_dict) %}
    {{ return(get_incremental_delete_insert_sql(arg_dict) if arg_dict.unique_key else get_incremental_append_sql(arg_dict)) }}
{% endmacro %}

{% macro get_insert_into_sql(target_relation, temp_relation, dest_columns) -%}
    {%- set names = get_quoted_csv(dest_columns | map(attribute='name')) -%}
    insert into {{ target_relation }} ({{ names }})
    select {{ names }}
    from {{ temp_relation }}
{%- endmacro %}

{% macro _key_columns(unique_key) %}{{ return([unique_key] if unique_key is string else unique_key or []) }}{% endmacro %}

{# The rows of one key give way to the new ones. #}
{% macro get_delete_insert_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) %}{{ return(adapter.dispatch('get_delete_insert_merge_sql', 'dbt')(target, source, unique_key, dest_columns, incremental_predicates)) }}{% endmacro %}
{% macro default__get_delete_insert_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
    {%- set keys = _key_columns(unique_key) -%}
    {%- if keys -%}
        delete from {{ target }} as DBT_INTERNAL_DEST
        where ({{ keys | join(', ') }}) in (select {{ keys | join(', ') }} from {{ source }})
        {%- for predicate in incremental_predicates or [] %}
          and {{ predicate }}
        {%- endfor %};
    {% endif -%}
    {{ get_insert_into_sql(target, source, dest_columns) }}
{%- endmacro %}

{% macro get_merge_update_columns(merge_update_columns, merge_exclude_columns, dest_columns) %}{{ return(adapter.dispatch('get_merge_update_columns', 'dbt')(merge_update_columns, merge_exclude_columns, dest_columns)) }}{% endmacro %}
{% macro default__get_merge_update_columns(merge_update_columns, merge_exclude_columns, dest_columns) %}
    {%- if merge_update_columns and merge_exclude_columns -%}
        {{ exceptions.raise_compiler_error("of 'merge_update_columns' and 'merge_exclude_columns' only one can be set") }}
    {%- endif -%}
    {%- if merge_update_columns -%}{{ return(merge_update_columns) }}{%- endif -%}
    {%- set left_out = merge_exclude_columns | default([], true) | map('lower') | list -%}
    {%- set updated = [] -%}
    {%- for column in dest_columns if column.name | lower not in left_out -%}{%- do updated.append(column.quoted) -%}{%- endfor -%}
    {{ return(updated) }}
{% endmacro %}

{% macro get_merge_unique_key_match(source_unique_key, target_unique_key) %}{{ return(adapter.dispatch('get_merge_unique_key_match', 'dbt')(source_unique_key, target_unique_key)) }}{% endmacro %}
{% macro default__get_merge_unique_key_match(source_unique_key, target_unique_key) -%}
    {{ source_unique_key }} = {{ target_unique_key }}
{%- endmacro %}

{% macro get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) %}{{ return(adapter.dispatch('get_merge_sql', 'dbt')(target, source, unique_key, dest_columns, incremental_predicates)) }}{% endmacro %}
{% macro default__get_merge_sql(target, source, unique_key, dest_columns, incremental_predicates=none) -%}
    {%- set conditions = [] + (incremental_predicates or []) -%}
    {%- for key in _key_columns(unique_key) -%}
        {%- do conditions.append('(' ~ get_merge_unique_key_match('DBT_INTERNAL_SOURCE.' ~ key, 'DBT_INTERNAL_DEST.' ~ key) ~ ')') -%}
    {%- endfor -%}
    {%- if not unique_key -%}{%- do conditions.append('false') -%}{%- endif -%}
    {%- set updated = get_merge_update_columns(config.get('merge_update_columns'), config.get('merge_exclude_columns'), dest_columns) -%}
    {{ _sql_header() }}
    merge into {{ target }} as DBT_INTERNAL_DEST
    using {{ source }} as DBT_INTERNAL_SOURCE
    on {{ conditions | join(' and ') }}
    {%- if unique_key %}
    when matched then update set
        {% for name in updated -%}
        {{ name }} = DBT_INTERNAL_SOURCE.{{ name }}{{ ', ' if not loop.last }}
        {%- endfor %}
    {%- endif %}
    when not matched then insert ({{ get_quoted_csv(dest_columns | map(attribute='name')) }})
    values ({% for column in dest_columns %}DBT_INTERNAL_SOURCE.{{ column.quoted }}{{ ', ' if not loop.last }}{% endfor %})
{%- endmacro %}

{# The rows that the predicates choose give way to the new ones. #}
{% macro get_insert_overwrite_merge_sql(target, source, dest_columns, predicates, include_sql_header=false) %}{{ return(adapter.dispatch('get_insert_overwrite_merge_sql', 'dbt')(target, source, dest_columns, predicates, include_sql_header)) }}{% endmacro %}
{% macro default__get_insert_overwrite_merge_sql(target, source, dest_columns, predicates, include_sql_header=false) -%}
    {%- if include_sql_header -%}{{ _sql_header() }}{%- endif %}
    delete from {{ target }} as DBT_INTERNAL_DEST
    {%- for predicate in predicates or [] %}
    {{ 'where' if loop.first else 'and' }} {{ predicate }}
    {%- endfor %};
    {{ get_insert_into_sql(target, source, dest_columns) }}
{%- endmacro %}

{% macro incremental_validate_on_schema_change(on_schema_change, default='ignore') %}
    {%- if on_schema_change in ['append_new_columns', 'fail', 'ignore', 'sync_all_columns'] -%}{{ return(on_schema_change) }}{%- endif -%}
    {%- do exceptions.warn("'on_schema_change' is '" ~ on_schema_change ~ "', which is taken for '" ~ default ~ "'") -%}
    {{ return(default) }}
{% endmacro %}

{% macro check_for_schema_changes(source_relation, target_relation) %}{{ return(adapter.dispatch('check_for_schema_changes', 'dbt')(source_relation, target_relation)) }}{% endmacro %}
{% macro default__check_for_schema_changes(source_relation, target_relation) %}
    {%- set source_columns = adapter.get_columns_in_relation(source_relation) -%}
    {%- set target_columns = adapter.get_columns_in_relation(target_relation) -%}
    {%- set added = diff_columns(source_columns, target_columns) -%}
    {%- set removed = diff_columns(target_columns, source_columns) -%}
    {%- set retyped = diff_column_data_types(source_columns, target_columns) -%}
    {{ return({
        'schema_changed': (added or removed or retyped) | length > 0,
        'source_not_in_target': added,
        'target_not_in_source': removed,
        'source_columns': source_columns,
        'target_columns': target_columns,
        'new_target_types': retyped,
    }) }}
{% endmacro %}

{% macro sync_column_schemas(on_schema_change, target_relation, schema_changes_dict) %}{{ return(adapter.dispatch('sync_column_schemas', 'dbt')(on_schema_change, target_relation, schema_changes_dict)) }}{% endmacro %}
{% macro default__sync_column_schemas(on_schema_change, target_relation, schema_changes_dict) %}
    {%- set removed = schema_changes_dict.target_not_in_source if on_schema_change == 'sync_all_columns' else [] -%}
    {%- if on_schema_change in ['append_new_columns', 'sync_all_columns'] -%}
        {%- do alter_relation_add_remove_columns(target_relation, schema_changes_dict.source_not_in_target, removed) -%}
    {%- endif -%}
    {%- for change in schema_changes_dict.new_target_types if on_schema_change == 'sync_all_columns' -%}
        {%- do alter_column_type(target_relation, change.column_name, change.new_type) -%}
    {%- endfor -%}
{% endmacro %}

{# The columns of the target afterwards; nothing when the target is to stay as it is. #}
{% macro process_schema_changes(on_schema_change, source_relation, target_relation) %}{{ return(adapter.dispatch('process_schema_changes', 'dbt')(on_schema_change, source_relation, target_relation)) }}{% endmacro %}
{% macro default__process_schema_changes(on_schema_change, source_relation, target_relation) %}
    {%- if on_schema_change == 'ignore' -%}{{ return({}) }}{%- endif -%}
    {%- set changes = check_for_schema_changes(source_relation, target_relation) -%}
    {%- if changes.schema_changed and on_schema_change == 'fail' -%}
        {{ exceptions.raise_compiler_error('the columns of ' ~ target_relation ~ " differ from those of its query, and 'on_schema_change' is 'fail'") }}
    {%- endif -%}
    {%- if changes.schema_changed -%}{%- do sync_column_schemas(on_schema_change, target_relation, changes) -%}{%- endif -%}
    {{ return(changes.source_columns) }}
{% endmacro %}
