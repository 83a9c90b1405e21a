from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('searches', '0008_strategy_state'),
    ]

    operations = [
        migrations.AlterField(
            model_name='evaluation',
            name='cause',
            field=models.CharField(blank=True, choices=[('oom', 'Out of memory'), ('nan', 'Loss is not a number'), ('timeout', 'Time limit'), ('invalid', 'Invalid architecture'), ('lost', 'Worker lost'), ('rejected', 'Rejected by the proxy'), ('error', 'Error')], default='', max_length=8),
        ),
    ]
